/**
 * Plays the probe of a deviation: whether a server departs from its contract in this point, or keeps it. A probe asks a
 * stand-in and a real server alike; what differs between them is the {@link Stage}.
 */
import type { Deviation, Expectation, FrameExpectation, ProbeStep } from './deviations.ts';
import { errorsOf, valueAt } from './schema.ts';

type Actor = 'owner' | 'other' | 'admin';
type RequestStep = Extract<ProbeStep, { readonly method: string }>;
type StreamStep = Extract<ProbeStep, { readonly stream: string }>;

/** A server, and how time passes there. */
export interface Stage {
  /** Such as `http://127.0.0.1:1337`. */
  readonly origin: string;
  /** `user:password`: two tenants, and the cloud's administrator. */
  readonly accounts: Readonly<Record<Actor, string>>;
  fetch(request: Request): Promise<Response>;
  /** Lets so much time pass: simulated time where it can be moved, else real time. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until something has come. */
  arrival<T>(coming: Promise<T>): Promise<T>;
  /** What a WebSocket brings: so many frames, or as many as come within the time. */
  frames(
    url: string,
    wanted: { readonly send?: string; readonly count: number; readonly withinMs: number },
  ): Promise<readonly unknown[]>;
}

/** An answer, read. */
interface Seen {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  /** A JSON value, or else a text. */
  readonly body: unknown;
}

/** What the row says happens where it is `on`, as upstream, or `off`, as in the contract. */
export type Side = 'on' | 'off';

/** What was not as that side has it, from the first step where something was not; empty when all was. */
export async function playProbe({ probe }: Deviation, side: Side, stage: Stage): Promise<readonly string[]> {
  const { owner, other, admin } = stage.accounts;
  const values = new Map([...Object.entries({ owner, other, admin })]);
  const late: { readonly n: number; readonly expected: Expectation | undefined; readonly answer: Promise<Seen> }[] = [];
  const flawsOfLate = async (): Promise<readonly string[]> => {
    for (const { n, expected, answer } of late.splice(0)) {
      const flaws = answerFlaws(expected, await stage.arrival(answer));
      if (flaws.length > 0) return told(n, probe.steps[n], flaws);
    }
    return [];
  };
  for (const [n, step] of probe.steps.entries()) {
    if ('waitMs' in step) await stage.pass(step.waitMs);
    else if ('until' in step) {
      const flaws = await flawsOfLate();
      if (flaws.length > 0) return flaws;
    } else if ('stream' in step) {
      const { frames: count, withinMs, send } = step;
      const wanted = { count, withinMs, ...(send === undefined ? {} : { send }) };
      const flaws = frameFlaws(expected(step, side), await stage.frames(filledIn(step.stream, values), wanted));
      if (flaws.length > 0) return told(n, step, flaws);
    } else {
      const answer = ask(stage, step, values);
      if (step.meanwhile) {
        late.push({ n, expected: expected(step, side), answer });
        // What becomes of it is looked at below.
        answer.catch(() => {});
        continue;
      }
      const seen = await stage.arrival(answer);
      const flaws = answerFlaws(expected(step, side), seen);
      if (flaws.length > 0) return told(n, step, flaws);
      for (const [name, pointer] of Object.entries(step.save ?? {})) {
        values.set(name, String(valueAt(seen.body, pointer)));
      }
    }
  }
  return flawsOfLate();
}

function expected(step: RequestStep, side: Side): Expectation | undefined;
function expected(step: StreamStep, side: Side): FrameExpectation;
function expected(step: RequestStep | StreamStep, side: Side): Expectation | FrameExpectation | undefined {
  return side === 'off' ? (step.otherwise ?? step.expect) : step.expect;
}

function told(n: number, step: ProbeStep | undefined, flaws: readonly string[]): string[] {
  const what = step === undefined || !('method' in step) ? 'stream' : `${step.method} ${step.path}`;
  return flaws.map((flaw) => `step ${n + 1}, ${what}: ${flaw}`);
}

const filledIn = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replace(/\{([a-z]+)\}/g, (whole, name: string) => values.get(name) ?? whole);

async function ask(stage: Stage, step: RequestStep, values: ReadonlyMap<string, string>): Promise<Seen> {
  const { method, path, as, password, headers = {}, body } = step;
  const given = Object.entries(headers).map(([name, value]): [string, string] => [name, filledIn(value, values)]);
  const text = body === undefined ? null : filledIn(typeof body === 'string' ? body : JSON.stringify(body), values);
  const request = new Request(stage.origin + filledIn(path, values), {
    method,
    headers: [...(as === undefined ? [] : [authorization(stage.accounts[as], password)]), ...given],
    body: text,
  });
  const response = await stage.fetch(request);
  return { status: response.status, headers: response.headers, body: decoded(await response.text()) };
}

function authorization(account: string, password: string | undefined): [string, string] {
  const colon = account.indexOf(':');
  const own = account.slice(colon + 1);
  const session = password === undefined ? account : account.slice(0, colon + 1) + password.replace('{password}', own);
  return ['Authorization', `Basic ${Buffer.from(session).toString('base64')}`];
}

/** JSON as its value, anything else as it is. */
export function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What an answer has against it. */
export function answerFlaws(expected: Expectation | undefined, { status, headers, body }: Seen): string[] {
  if (expected === undefined) return [];
  const flaws: string[] = [];
  if (status !== expected.status) flaws.push(`status ${expected.status} expected, ${status} seen`);
  const type = headers.get('Content-Type');
  if (expected.mediaType !== undefined && type !== expected.mediaType) {
    flaws.push(`${expected.mediaType} expected, ${type} seen`);
  }
  for (const [name, pattern] of Object.entries(expected.headers ?? {})) {
    const value = headers.get(name);
    const fits = pattern === null ? value === null : value !== null && new RegExp(pattern, 'u').test(value);
    if (!fits) flaws.push(`${name}: ${pattern ?? 'no such header'} expected, ${value} seen`);
  }
  const errors = expected.body === undefined ? [] : errorsOf(expected.body, body);
  const seen = JSON.stringify(body);
  return [...flaws, ...errors.map(({ instancePath, message }) => `body${instancePath} ${message}; seen: ${seen}`)];
}

function frameFlaws(expected: FrameExpectation, frames: readonly unknown[]): string[] {
  const [schema, wanted] = 'some' in expected ? [expected.some, true] : [expected.none, false];
  if (frames.some((frame) => errorsOf(schema, frame).length === 0) === wanted) return [];
  return [`${wanted ? 'some' : 'no'} frame like ${JSON.stringify(schema)} expected, ${JSON.stringify(frames)} seen`];
}
