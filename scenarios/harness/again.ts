/** How a failure is had again: the commands for it, and the lines that tell them. No password is in any. */
import { type Machine, reason } from '../../sim/index.ts';
import { type Credentials, quoted } from './request.ts';
import { faultsOf, isRequest, isWatch, type Scenario } from './scenario.ts';
import { isOneadmin, ROLE_FLAGS } from './target/roles.ts';
import type { StaySettings } from './target/stay.ts';
import type { Role } from './trace.ts';

/** Who asks of which server. */
type Visitor = Pick<StaySettings, 'target' | 'credentials' | 'sessions'>;

/** The flag that names the user of each role. */
type Users = Readonly<Partial<Record<Role, string>>>;

const OF_GATEKEEPER: Users = { owner: '--gatekeeper-auth', other: '--gatekeeper-other-auth' };

export const replaying = (file: string): string => command('replay', file);

/** A scenario on the server that it has failed on; the stand-in may keep what that one breaks. */
export function visiting(file: string, scenario: Scenario, { target, credentials, sessions }: Visitor): string {
  const { steps } = scenario;
  const isAdministered = faultsOf(scenario).length > 0 || steps.some(({ op }) => op === 'heal');
  const asking = steps.filter(isRequest).map(({ as }) => as ?? 'owner');
  // What is made has to be deleted by its owner, whoever else asks.
  const engines = [...(asking.length > 0 ? ['owner' as const] : []), ...asking];
  const gatekeepers = steps.filter(isWatch).map((step) => ('as' in step ? step.as : undefined) ?? 'owner');
  const isFree = engines.some((role) => isOneadmin(credentials[role]));
  return command('run', file, '--target', target, [
    ...usersOf(ROLE_FLAGS, credentials, isAdministered ? [...engines, 'admin'] : engines),
    ...usersOf(OF_GATEKEEPER, sessions, gatekeepers),
    ...(isFree ? ['--allow-oneadmin'] : []),
  ]);
}

/** Everything that a verification of a server was made of, once more. */
export const verifyingServer = ({ target, credentials, sessions }: Visitor, rest: readonly string[]): string =>
  command('verify', '--target', target, [
    ...usersOf(ROLE_FLAGS, credentials, ROLES),
    ...usersOf(OF_GATEKEEPER, sessions, ROLES),
    ...(isOneadmin(credentials.owner) ? ['--allow-oneadmin'] : []),
    ...rest,
  ]);

/** The scenarios of the stand-in up to one that has failed. */
export const verifying = (seed: number, runs: number, profile: string): string =>
  command('verify', '--seed', `${seed}`, '--runs', `${runs}`, '--profile', profile);

const ROLES: readonly Role[] = ['owner', 'other', 'admin'];

/** The password is left to the reader. */
function usersOf(flags: Users, sessions: Credentials, roles: readonly Role[]): string[] {
  return ROLES.flatMap((role) => {
    const [flag, session] = [flags[role], sessions[role]];
    if (flag === undefined || session === undefined || !roles.includes(role)) return [];
    return [flag, `${session.split(':')[0]}:PASSWORD`];
  });
}

function command(...words: readonly (string | readonly string[])[]): string {
  const inShell = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word));
  return ['onesim', ...words.flat().map(inShell)].join(' ');
}

/** The last line of what is told of a failure. */
export const replayLine = (command: string): string => `  replay    ${command}`;

/**
 * Saves what fails. That it cannot be written must not cost what was found: then there is another way to it.
 * @returns whether it is saved, and the last lines of what is told of the failure
 */
export async function saved(
  { file, content }: { readonly file: string; readonly content: string },
  machine: Pick<Machine, 'writeFile'>,
  { replay, otherwise }: { readonly replay: string; readonly otherwise: string },
): Promise<{ readonly isSaved: boolean; readonly lines: string[] }> {
  try {
    await machine.writeFile(file, content);
  } catch (error) {
    const lines = [`  unsaved   cannot write ${file}: ${reason(error)}`, `  again     ${otherwise}`];
    return { isSaved: false, lines };
  }
  return { isSaved: true, lines: [replayLine(replay)] };
}
