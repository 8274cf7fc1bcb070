/** A router for Hono that looks a path up once: clients ask for the same few over and over. */
import type { Result, Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { remembered } from '../kernel/remembered.ts';

export class KnownPaths<T> implements Router<T> {
  readonly name = 'KnownPaths';
  readonly #routes = new TrieRouter<T>();
  /** By method; none for one that no route has, as clients may make up any. */
  readonly #known = new Map<string, (path: string) => Result<T>>();

  add(method: string, path: string, handler: T): void {
    this.#routes.add(method, path, handler);
    this.#known.set(
      method,
      remembered((asked) => this.#routes.match(method, asked)),
    );
  }

  match(method: string, path: string): Result<T> {
    return this.#known.get(method)?.(path) ?? this.#routes.match(method, path);
  }
}
