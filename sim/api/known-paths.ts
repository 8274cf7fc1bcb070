/**
 * A router for Hono that looks a path up once: clients ask for the same few over and over. The worlds of a process all
 * have the same routes, so where a path leads is found for all of them together; only the handlers are a world's own.
 */
import type { Params, Result, Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { remembered } from '../kernel/remembered.ts';

export class KnownPaths<T> implements Router<T> {
  readonly name = 'KnownPaths';
  readonly #routes: [method: string, path: string][] = [];
  readonly #handlers: T[] = [];
  #ways: Ways | undefined;

  add(method: string, path: string, handler: T): void {
    this.#routes.push([method, path]);
    this.#handlers.push(handler);
    this.#ways = undefined;
  }

  match(method: string, path: string): Result<T> {
    this.#ways ??= waysOf(this.#routes);
    const handlers = this.#handlers;
    return [this.#ways(method, path).map(([route, params]) => [handlers[route] as T, params])];
  }
}

/** Which routes a path leads to, by their numbers. */
type Ways = (method: string, path: string) => [route: number, params: Params][];

const known = new Map<string, Ways>();

function waysOf(routes: readonly (readonly [method: string, path: string])[]): Ways {
  const text = routes.join('\n');
  const ways = known.get(text) ?? waysAlong(routes);
  known.set(text, ways);
  return ways;
}

function waysAlong(routes: readonly (readonly [method: string, path: string])[]): Ways {
  const trie = new TrieRouter<number>();
  for (const [number, [method, path]] of routes.entries()) trie.add(method, path, number);
  const search = (method: string, path: string) => trie.match(method, path)[0] as [number, Params][];
  /** Only for methods that a route has, as clients may make up any. */
  const methods = new Set(routes.map(([method]) => method));
  const before = new Map([...methods].map((method) => [method, remembered((path) => search(method, path))]));
  return (method, path) => before.get(method)?.(path) ?? search(method, path);
}
