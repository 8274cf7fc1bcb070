/** Users as the API shows them: to an administrator all of them, to others themselves. Mirrors `son-gtkusr`. */
import type { JsonObject } from '../../one/flow/json.ts';
import { json } from './answer.ts';
import { timestamp } from './catalogue.ts';
import type { GatekeeperUser } from './furnishing.ts';
import { type Listing, pageOf } from './paging.ts';

/** What is not in a user himself. */
interface Registration {
  readonly createdAt: number;
  idOf(username: string): string;
}

export function usersAnswer(
  users: readonly GatekeeperUser[],
  caller: GatekeeperUser,
  { createdAt, idOf }: Registration,
  listing: Listing,
): Response {
  const shown = ({ username, types }: GatekeeperUser): JsonObject => ({
    username,
    uuid: idOf(username),
    created_at: timestamp(createdAt),
    user_type: types.join(','),
    email: '',
    first_name: '',
    last_name: '',
    phone_number: '',
  });
  if (!caller.types.includes('admin')) return json(shown(caller));
  return json(pageOf(users, listing.paging).map(shown), listing.headers(users.length));
}
