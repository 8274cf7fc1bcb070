/** Which server it is that answers, by what it says of itself; its configuration sets the bounds of what it is waited for. */
import type { Answer, Bounds } from '../trace.ts';
import { problemOf, type Wire } from './wire.ts';

export interface Recognised {
  /** undefined when it does not say, or not as a Provisioning Engine does */
  readonly version: string | undefined;
  /** Why it is none, as far as it is seen. */
  readonly doubt: string | undefined;
  readonly bounds: Bounds;
  /** Whether it takes faults, as a stand-in does. */
  readonly takesFaults: boolean;
}

/** How often the engine looks at what it waits for, once a second, when its configuration does not say. */
const TRIES = 30;

/** A virtual machine may take so many time-outs of the engine to come up; a resize takes at most one for each part. */
const [PENDING_TIMES, UPDATING_TIMES] = [4, 3];

/** @param control where faults are taken, when not by the target itself. @throws what the network says when nobody answers */
export async function recognise(wire: Wire, control = wire.target): Promise<Recognised> {
  const version = await wire.send(new Request(`${wire.target}/server/version`));
  const named = versionIn(version);
  const config = parsed(await asked(wire, '/server/config'));
  const tries = (config as { readonly timeout?: unknown } | undefined)?.timeout;
  const seconds = typeof tries === 'number' && tries > 0 && tries <= 3_600 ? tries : TRIES;
  const alive = await asked(wire, '/_onesim/livez', control);
  return {
    version: named,
    doubt: named === undefined ? `GET /server/version was answered with ${shown(version)}` : undefined,
    bounds: { pendingMs: PENDING_TIMES * seconds * 1_000, updatingMs: UPDATING_TIMES * seconds * 1_000 },
    takesFaults: alive.status === 200 && alive.body === '{"status":"ok"}',
  };
}

/** What has become of a server since it was recognised; undefined when it is what it was. */
export async function changeOf(wire: Wire, { version }: Recognised): Promise<string | undefined> {
  const answer = await asked(wire, '/server/version');
  const now = versionIn(answer);
  if (now === version) return undefined;
  if (answer.status === 0) return `the server does not answer any more: ${answer.body}`;
  return `the server has changed under us: its version was ${version ?? 'unknown'}, and is ${now ?? 'unknown'}`;
}

/** As an engine tells it. */
function versionIn(answer: Answer): string | undefined {
  const said = parsed(answer);
  return answer.status === 200 && typeof said === 'string' && /^\d+(\.\d+){1,3}/.test(said) ? said : undefined;
}

async function asked(wire: Wire, path: string, origin = wire.target): Promise<Answer> {
  try {
    return await wire.send(new Request(`${origin}${path}`));
  } catch (error) {
    // What one answer is worth is judged later; here only what it says is missed.
    return { status: 0, headers: [], body: problemOf(error) };
  }
}

function parsed(answer: Answer): unknown {
  try {
    return JSON.parse(answer.body) ?? undefined;
  } catch {
    return undefined;
  }
}

function shown({ status, headers, body }: Answer): string {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? 'no Content-Type';
  return `${status}, ${type}, ${JSON.stringify(body.slice(0, 60))}`;
}
