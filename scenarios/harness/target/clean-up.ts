/**
 * Disarms the faults of a run. Deletes what a ledger names, and nothing else, and waits until it is gone. A runtime that is still coming up, or being
 * resized, is waited for: the real engine lets its virtual machines live when it is deleted then.
 */
import { functionsIn, runtimeIn } from '../answers.ts';
import { authorization, type Credentials } from '../request.ts';
import type { Answer } from '../trace.ts';
import type { Entry } from './ledger.ts';
import { ROLE_FLAGS } from './roles.ts';
import { problemOf, type Wire } from './wire.ts';

/** Something that is, or may be, left on a server. */
export interface Left {
  /** Its name. */
  readonly what: string;
  readonly why: string;
}

export const leftName = ({ id, names, mark, n }: Entry): string =>
  `${id === undefined ? 'a runtime of unknown id' : `runtime ${id}`}, ${names[0] ?? `creation ${n} of ${mark}`}`;

interface CleanUp {
  readonly wire: Wire;
  /** Of those who have made something. */
  readonly credentials: Credentials;
  /** How long a runtime may take to become quiet. */
  readonly patienceMs: number;
  gone(entry: Entry): Promise<void>;
}

/** How far from a known id one is looked for that nobody knows. */
const REACH = 40;
const [SHORTEST_MS, LONGEST_MS] = [250, 5_000];
/** How often a deletion is tried that fails, of a fault as well, and a look to which no answer comes. */
const TRIES = 5;

/** @returns what is, or may be, armed still */
export async function disarmed(wire: Wire): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (const fault of wire.armed.faults) {
    let why = await disarming(wire, fault);
    for (let tries = 1; why !== undefined && tries < TRIES; tries++) {
      await wire.sleep(SHORTEST_MS);
      why = await disarming(wire, fault);
    }
    if (why === undefined) wire.armed.lose(fault);
    else left.push({ what: `the fault ${fault}`, why });
  }
  const why = 'no answer tells whether it was armed, nor what it is called';
  return [...left, ...wire.armed.doubtful.map((where) => ({ what: `a fault of ${where}`, why }))];
}

/** @returns why it is not disarmed, otherwise undefined */
async function disarming(wire: Wire, fault: string): Promise<string | undefined> {
  try {
    // Aside: the fault may be what somebody is kept waiting by.
    const { status } = await wire.aside(new Request(fault, { method: 'DELETE' }));
    return status < 300 || status === 404 ? undefined : `its deletion was answered with ${status}`;
  } catch (error) {
    return problemOf(error);
  }
}

/** @returns what is, or may be, left */
export async function cleanUp(entries: readonly Entry[], options: CleanUp): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (const entry of entries) {
    const found = entry.id === undefined ? await searched(entry, options) : entry;
    const why = typeof found === 'object' ? await removed(found, options) : found;
    if (why === undefined) await options.gone(entry);
    else left.push({ what: leftName(typeof found === 'object' ? found : entry), why });
  }
  return left;
}

/**
 * Looks for what was made under an id that nobody knows, by its name. What the server says it could not make, and is not
 * found, is not there. @returns why it is not found, otherwise
 */
async function searched(entry: Entry, options: CleanUp): Promise<Entry | string | undefined> {
  const { why, failed, mark } = entry;
  // A name that a person has chosen may be somebody else's as well.
  const names = entry.names.filter((name) => name.startsWith(`${mark}-`));
  const [above, below] = entry.between;
  const from = above ?? (below === undefined ? undefined : below - REACH);
  if (names.length === 0 || from === undefined) return `${why}, so its id is not known`;
  const end = Math.min(from + REACH, below ?? Number.POSITIVE_INFINITY);
  for (let id = Math.max(0, from + 1); id < end; id++) {
    const answer = await insisted(options, entry, id);
    if (typeof answer === 'string') return `${why}, and then: ${answer}`;
    if (names.includes(nameOf(answer) ?? '')) return { ...entry, id };
  }
  if (failed) return undefined;
  return `${why}, and no id from ${from + 1} to ${end - 1} has its name`;
}

async function insisted(options: CleanUp, entry: Entry, id: number): Promise<Answer | string> {
  let answer = await ask(options, entry, 'GET', id);
  for (let tries = 1; typeof answer === 'string' && tries < TRIES; tries++) {
    await options.wire.sleep(SHORTEST_MS);
    answer = await ask(options, entry, 'GET', id);
  }
  return answer;
}

/** @returns why it is not gone, otherwise undefined */
async function removed(entry: Entry, options: CleanUp): Promise<string | undefined> {
  const id = entry.id ?? -1;
  const { wire, patienceMs } = options;
  const start = wire.now();
  let [pauseMs, failures] = [SHORTEST_MS, 0];
  while (true) {
    const seen = await ask(options, entry, 'GET', id);
    if (typeof seen !== 'string') {
      if (seen.status === 404 || isAnothers(seen, entry)) return undefined;
      if (seen.status === 401 || seen.status === 403) return `it may not be read: ${seen.status}`;
    }
    const waits = wire.now() - start < patienceMs;
    const why = typeof seen === 'string' ? seen : isMoving(seen) && waits ? undefined : await deleted(entry, options);
    if (why !== undefined && !(why === LOCKED && waits) && ++failures > TRIES) return why;
    await wire.sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_MS);
  }
}

const LOCKED = 'it is locked';

/** @returns what there is to say if it is still there at the next look */
async function deleted(entry: Entry, options: CleanUp): Promise<string> {
  const answer = await ask(options, entry, 'DELETE', entry.id ?? -1);
  if (typeof answer === 'string') return answer;
  if (answer.status === 423) return LOCKED;
  return answer.status === 204 ? 'it is there after its deletion' : `its deletion was answered with ${answer.status}`;
}

/** The id leads to something that this run has not made: the server has begun anew, and what was made is gone. */
function isAnothers(seen: Answer, { names }: Entry): boolean {
  const its = nameOf(seen);
  return names.length > 0 && its !== undefined && !names.includes(its);
}

const isMoving = ({ body }: Answer): boolean =>
  functionsIn(body).some(({ state }) => state === 'PENDING' || state === 'UPDATING');

const nameOf = ({ status, body }: Answer): string | undefined => {
  const name = status < 300 ? runtimeIn(body)?.NAME : undefined;
  return typeof name === 'string' ? name : undefined;
};

async function ask(
  { wire, credentials }: CleanUp,
  { as }: Entry,
  method: 'GET' | 'DELETE',
  id: number,
): Promise<Answer | string> {
  const session = credentials[as];
  if (session === undefined) return `it was made as ${as}, who is not named: ${ROLE_FLAGS[as]} does`;
  const headers = authorization(session, 'good');
  try {
    return await wire.send(new Request(`${wire.target}/serverless-runtimes/${id}`, { method, headers }));
  } catch (error) {
    return problemOf(error);
  }
}
