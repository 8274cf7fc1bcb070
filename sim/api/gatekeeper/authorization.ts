/** The Authorization header as the Gatekeeper reads it: a scheme and a token. */
import { remembered } from '../../kernel/remembered.ts';
import { Refusal } from './answer.ts';

/** The token of a header. @throws Refusal */
export function bearerOf(header: string | undefined): string {
  if (header === undefined || header === '') throw new Refusal(401, 'Unauthorized: missing authorization header');
  return tokenIn(header);
}

const tokenIn = remembered((header) => {
  const [scheme = '', token, ...rest] = header.trim().split(/\s+/);
  if (scheme.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0) {
    throw new Refusal(400, 'Unprocessable entity: authorization header must be "Bearer <token>"');
  }
  return token;
});
