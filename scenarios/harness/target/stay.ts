/**
 * A stay on a server that is not ours. Before anything is asked it is found out what it is and whether it lets us in, and
 * there is a ledger of what is made; whatever happens, that is deleted.
 */
import { type Machine, Problem } from '../../../sim/index.ts';
import { NEVER_TIMES } from '../laws/patience.ts';
import { authorization, type Credentials } from '../request.ts';
import type { Stop } from '../stop.ts';
import { cleanUp, disarmed, type Left } from './clean-up.ts';
import { Ledger } from './ledger.ts';
import type { Outside } from './outside.ts';
import { type Recognised, recognise } from './recognise.ts';
import { problemOf, Wire } from './wire.ts';

export interface StaySettings {
  readonly target: string;
  readonly credentials: Credentials;
  /** Users of the Gatekeeper. */
  readonly sessions: Credentials;
  /** Requests a second. */
  readonly rate: number;
  readonly timeoutMs: number;
  readonly maxDurationMs: number;
  readonly ledger: string;
  /** The control API of the stand-in that the target runs on, when it is a real engine on a cloud of ours. */
  readonly control: string | undefined;
}

interface Manner {
  /** Whether anything is made there. */
  readonly changes: boolean;
  /** Whether a request waits until the one before it was answered. */
  readonly serial: boolean;
  /** What is said of the stay, behind the name of the server. */
  readonly title: string;
}

export interface Stay {
  readonly wire: Wire;
  readonly ledger: Ledger;
  readonly recognised: Recognised;
  /** Disarms the faults that were armed, and deletes what was made. @returns what is, or may be, left */
  tidy(): Promise<readonly Left[]>;
}

/** The longest that is waited for what is on a cloud of ours. */
const STAND_IN_MS = 15_000;

/** @throws Problem */
export async function beginStay(
  settings: StaySettings,
  { changes, serial, title }: Manner,
  outside: Outside,
  machine: Pick<Machine, 'out'>,
  stop: Stop,
): Promise<Stay> {
  const { target, credentials, sessions, rate, timeoutMs, maxDurationMs, control } = settings;
  const durable = changes ? await outside.durable(settings.ledger) : async () => {};
  const ledger = new Ledger(outside.mark(), durable);
  const secrets = [credentials, sessions].flatMap(Object.values).filter((session) => session !== undefined);
  const wire = new Wire(outside, ledger, {
    ...{ target, rate, serial, timeoutMs, maxDurationMs, secrets, credentials, stop },
    tell: machine.out,
  });
  let recognised: Recognised;
  try {
    recognised = await recognise(wire, control);
  } catch (error) {
    throw unanswered(target, error);
  }
  const { version, doubt, takesFaults, bounds } = recognised;
  // What a fault holds up on a stand-in is not worth waiting for.
  const patienceMs = control === undefined ? NEVER_TIMES * bounds.pendingMs : STAND_IN_MS;
  const gone = ({ n }: { readonly n: number }): Promise<void> => ledger.gone(n);
  const tidy = async (): Promise<readonly Left[]> => {
    // A fault may stand in the way of a deletion.
    const armed = await disarmed(wire);
    return [...armed, ...(await cleanUp(ledger.open, { wire, credentials, patienceMs, gone }))];
  };
  const standIn = takesFaults ? (control === undefined ? ', a stand-in' : ', on a stand-in') : '';
  machine.out(
    doubt === undefined
      ? `${target}: Provisioning Engine ${version}${standIn}, ${title}`
      : `${target}: no Provisioning Engine that is known: ${doubt}`,
  );
  if (doubt !== undefined) return { wire, ledger, recognised, tidy };
  await refuseStrangers(wire, credentials);
  if (changes) {
    await ledger.begin(target, credentials.owner?.split(':')[0] ?? '');
    machine.out(`  all that is made is called ${ledger.mark}-…, and is in ${settings.ledger}`);
  }
  return { wire, ledger, recognised, tidy };
}

const unanswered = (target: string, error: unknown): Problem =>
  new Problem(`--target: ${target} does not answer: ${problemOf(error)}`);

/** Credentials that do not hold would make every other answer look wrong. @throws Problem */
async function refuseStrangers(wire: Wire, credentials: Credentials): Promise<void> {
  const roles = { '--auth': credentials.owner, '--other-auth': credentials.other };
  for (const [flag, session] of Object.entries(roles)) {
    if (session === undefined) continue;
    const headers = authorization(session, 'good');
    const asked = wire.send(new Request(`${wire.target}/serverless-runtimes/2000000000`, { headers }));
    const answer = await asked.catch((error) => {
      throw unanswered(wire.target, error);
    });
    if (answer.status === 401) throw new Problem(`${flag}: ${wire.target} does not let ${session.split(':')[0]} in`);
  }
}
