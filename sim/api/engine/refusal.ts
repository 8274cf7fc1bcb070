/** How a request ends without success: with an error the Provisioning Engine has words for, or with a crash of the server. */
import { Expected } from '../../kernel/expected.ts';
import type { Value } from '../ruby-json.ts';

export class Refusal extends Expected {
  readonly status: number;
  readonly body: Value;

  constructor(status: number, body: Value) {
    super(`answered with ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** An error in the engine's own form: a title, and a text, an object, a list or nothing to explain it. */
export const refusal = (status: number, error: string, message: Value): Refusal =>
  new Refusal(
    status,
    new Map<string, Value>([
      ['error', error],
      ['message', message],
    ]),
  );

/** Where the real server runs into an exception that it does not rescue. The text is for developers of the stand-in. */
export class Crash extends Error {}
