/** A router for Hono that looks a path up once: clients ask for the same few over and over. */
import type { Result, Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { remembered } from '../kernel/remembered.ts';

export class KnownPaths<T> implements Router<T> {
  readonly name = 'KnownPaths';
  readonly #routes = new TrieRouter<T>();
  /** Those that nobody has looked for yet: an API may be made and never asked. */
  readonly #added: [method: string, path: string, handler: T][] = [];
  /** By method; none for one that no route has, as clients may make up any. */
  readonly #known = new Map<string, (path: string) => Result<T>>();

  add(method: string, path: string, handler: T): void {
    this.#added.push([method, path, handler]);
  }

  match(method: string, path: string): Result<T> {
    if (this.#added.length > 0) this.#take();
    return this.#known.get(method)?.(path) ?? this.#routes.match(method, path);
  }

  #take(): void {
    for (const [method, path, handler] of this.#added.splice(0)) {
      this.#routes.add(method, path, handler);
      this.#known.set(
        method,
        remembered((asked) => this.#routes.match(method, asked)),
      );
    }
  }
}
