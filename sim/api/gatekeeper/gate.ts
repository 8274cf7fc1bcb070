/** Who may pass: the token checks and the rate limits that requests have in common, in the server's order. */
import type { Context } from 'hono';
import { Refusal } from './answer.ts';
import { bearerOf } from './authorization.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Sessions } from './sessions.ts';
import type { User, Users } from './users.ts';

export interface Gate {
  /** Counts a request that needs no token. @throws Refusal 429 */
  anonymous(): void;
  /** Counts a request of a user. @throws Refusal 429 */
  count(user: User): void;
  /** The user that a token is of. @throws Refusal, with what is said of a token that is not active */
  user(c: Context, inactive?: (token: string) => Refusal): User;
  /** The name of who asks, and has not asked too often. @throws Refusal */
  caller(c: Context): string;
}

const notActive = (token: string): Refusal => new Refusal(401, `Unauthorized: token ${token} is not active`);

export function gateOf(sessions: Sessions, users: Users, limit: RateLimit): Gate {
  const user: Gate['user'] = (c, inactive = notActive) => {
    const token = bearerOf(c.req.header('Authorization'));
    const found = sessions.userOf(token);
    if (found === undefined) throw inactive(token);
    const known = users.find(found.username);
    if (known === undefined) throw new Refusal(404, `Not found: user with token ${token}`);
    return known;
  };
  const count = ({ username }: User): void => limit('other_operations', username);
  return {
    anonymous: () => limit('anonymous_operations', ''),
    count,
    user,
    caller(c) {
      const caller = user(c);
      count(caller);
      return caller.username;
    },
  };
}
