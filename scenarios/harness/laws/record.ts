/** The laws of the journal, of the contract, and of what a scenario itself expects. */
import { checkExchange, type Exchange, keepsSchema, type Verdict } from '../../../contracts/conformance.ts';
import type { Contract } from '../../../contracts/contract.ts';
import { valueAt } from '../../../contracts/schema.ts';
import { Latest } from '../../../sim/index.ts';
import { controlRefusal } from '../answers.ts';
import { type Law, shownBy } from '../law.ts';
import { type Answered, isMutation, requestOf, type Story } from '../story.ts';

/** Laws that look into the contracts. */
export function recordLaws(contracts: readonly Contract[]): readonly Law[] {
  const asked = new Latest<string, 'unfit' | 'fit' | 'no runtime'>();
  const kindOf = ({ method, path, body }: Answered['request']): 'unfit' | 'fit' | 'no runtime' =>
    recalled(asked, `${method} ${path}\n${body ?? ''}`, () => {
      if (!keepsSchema(contracts, method, path, body ?? '')) return 'unfit';
      return hasRuntime(body) ? 'fit' : 'no runtime';
    });
  return [
    {
      id: 'D1',
      sentence:
        'The journal’s numbers are dense, its times do not go back, and folding it gives the state of every VM.',
      reason: 'It is the only account of what happened.',
      judge(story, check) {
        judgeOrder(story, check);
        for (const { at, census } of story.censuses) {
          for (const { id, state } of census.vms) {
            const told = toldAt(story, id, at);
            check(told.includes(state), () => ({
              at,
              subject: `vm/${id}`,
              expected: told.join(' or '),
              seen: state,
              edge: 'fold',
            }));
          }
        }
      },
    },
    {
      id: 'D2',
      sentence: 'A request that changes something has exactly one entry of its own in the journal, before its answer.',
      reason: 'What happened must be found from what was asked, and in its order.',
      judge(story, check) {
        const answers = new Map<number, number>();
        for (const { kind, cause, seq } of story.entries) if (kind === 'answer') answers.set(cause, seq);
        for (const exchange of story.answered) {
          if (exchange.entry === null || !isMutation(exchange)) continue;
          const own = story.entry(exchange.entry);
          const fits = own?.kind === 'request' && own.subject === exchange.request.path.split('?')[0];
          const answer = answers.get(exchange.entry);
          check(fits && answer !== undefined && answer <= (exchange.until ?? 0), () =>
            shownBy(exchange, {
              subject: `entry ${exchange.entry}`,
              expected: `request ${exchange.request.path}, then its answer`,
              seen:
                own === undefined
                  ? 'nothing'
                  : `${own.kind} ${own.subject}${answer === undefined ? ', never answered' : `, answered as ${answer}`}`,
            }),
          );
        }
      },
    },
    {
      id: 'D6',
      sentence: 'Every answer keeps the contract: status, media type, headers and body.',
      reason: 'Clients are generated from it.',
      judge(story, check) {
        for (const exchange of story.answered) {
          if (hasNoControl(story, exchange)) continue;
          const { violations } = heldAgainst(contracts, exchange, story.deviations);
          const [first] = violations;
          check(first === undefined, () =>
            shownBy(exchange, {
              subject: `${first?.operation} ${first?.law} ${first?.pointer}`.trim(),
              expected: first?.expected ?? '',
              seen: first?.seen ?? '',
              edge: `${first?.law} ${first?.pointer}`,
              where: first?.where ?? '',
            }),
          );
        }
      },
    },
    {
      id: 'D7',
      sentence:
        'A body that breaks the schema is refused where the contract says so, and one that keeps it is never told that it is invalid.',
      reason: 'A client has to learn of its own mistakes, and only of those.',
      judge(story, check) {
        for (const exchange of story.answered) {
          const step = requestOf(story, exchange);
          if (step === undefined || (step.op !== 'create' && step.op !== 'put')) continue;
          const { response, request } = exchange;
          const kind = kindOf(request);
          if (kind === 'unfit') {
            check(response.status >= 400, () =>
              shownBy(exchange, {
                subject: request.body ?? '',
                expected: 'a refusal',
                seen: `${response.status}`,
                edge: 'accepted',
              }),
            );
          } else if (kind === 'fit') {
            check(response.status !== 400, () =>
              shownBy(exchange, {
                subject: request.body ?? '',
                expected: 'anything but 400',
                seen: response.body,
                edge: 'refused',
              }),
            );
          }
        }
      },
    },
    {
      id: 'S1',
      sentence: 'No answer is a 5xx that the stand-in gives for a mistake of its own, and every request is answered.',
      reason: 'A broken invariant must not pass for an answer.',
      judge(story, check) {
        for (const exchange of story.exchanges) {
          check(exchange.response !== null || story.isTouched(exchange), () =>
            shownBy(exchange, {
              subject: exchange.request.path,
              expected: 'an answer',
              seen: exchange.problem ?? 'none',
              edge: 'lost',
            }),
          );
        }
        for (const { kind, subject, detail, at } of story.entries) {
          check(kind !== 'defect', () => ({
            at: at - story.run.epochMs,
            subject,
            expected: 'no defect',
            seen: `${detail.message}`,
            edge: 'defect',
          }));
        }
      },
    },
    {
      id: 'E1',
      sentence: 'Every step is answered as the scenario expects.',
      reason: 'It is what the scenario was written for.',
      judge(story, check) {
        for (const step of story.steps.values()) {
          if (!('expect' in step) || step.expect === undefined || story.ended.has(step.id)) continue;
          const exchange = story.exchanges.find((each) => each.step === step.id);
          const misses = exchange?.response
            ? missesOf(step.expect, exchange as Answered)
            : [{ expected: 'an answer', seen: 'none' }];
          check(misses.length === 0, () => ({
            at: exchange?.at ?? story.end,
            ...(exchange === undefined ? {} : { exchange }),
            subject: `step ${step.id}`,
            expected: misses.map(({ expected }) => expected).join('; '),
            seen: misses.map(({ seen }) => seen).join('; '),
            edge: step.id,
          }));
        }
      },
    },
  ];
}

/** Whether we have asked the control API of a server that has none: what answers instead knows of no contract of it. */
const hasNoControl = ({ run }: Story, { step, request, response }: Answered): boolean =>
  run.transport === 'http' &&
  step === null &&
  request.path.startsWith('/_onesim/') &&
  response.status >= 400 &&
  controlRefusal(response) === undefined;

type Expected = NonNullable<Extract<ReturnType<typeof requestOf>, object>['expect']>;

function missesOf(
  { status, body = {}, headers = {} }: Expected,
  { response }: Answered,
): { expected: string; seen: string }[] {
  const misses: { expected: string; seen: string }[] = [];
  const statuses = status === undefined ? [] : [status].flat();
  if (statuses.length > 0 && !statuses.includes(response.status)) {
    misses.push({ expected: `status ${statuses.join(' or ')}`, seen: `${response.status}` });
  }
  const value = Object.keys(body).length > 0 ? parsed(response.body) : undefined;
  for (const [pointer, expected] of Object.entries(body)) {
    const seen = JSON.stringify(valueAt(value, pointer)) ?? 'nothing';
    if (seen !== JSON.stringify(expected)) misses.push({ expected: `${pointer} ${JSON.stringify(expected)}`, seen });
  }
  for (const [name, expected] of Object.entries(headers)) {
    const seen = response.headers.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
    if (seen !== expected) misses.push({ expected: `${name}: ${expected}`, seen: seen ?? 'absent' });
  }
  return misses;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function judgeOrder(story: Story, check: Parameters<Law['judge']>[1]): void {
  for (const [n, entry] of story.entries.entries()) {
    const earlier = story.entries[n - 1];
    if (earlier === undefined) continue;
    check(entry.seq === earlier.seq + 1 && entry.at >= earlier.at, () => ({
      at: entry.at - story.run.epochMs,
      subject: `entry ${entry.seq}`,
      expected: `number ${earlier.seq + 1}, not before ${earlier.at}`,
      seen: `number ${entry.seq} at ${entry.at}`,
      edge: 'order',
    }));
  }
}

/** The states that the journal gives a VM at an instant: several when it changed in it. */
function toldAt(story: Story, vm: number, instant: number): string[] {
  const changes = story.changesOf(vm);
  const before = changes.findLast(({ at }) => at < instant);
  return [...(before === undefined ? [] : [before]), ...changes.filter(({ at }) => at === instant)].map(({ to }) => to);
}

export const contractual = ({ request, response }: Answered): Exchange => ({
  method: request.method,
  path: request.path,
  requestBody: request.body ?? '',
  status: response.status,
  headers: headersOf(response.headers),
  body: response.body,
});

/** As a browser's, of which nobody asks for more. */
function headersOf(pairs: Answered['response']['headers']): Exchange['headers'] {
  const get = (name: string): string | null => {
    const sought = name.toLowerCase();
    const values = pairs.filter(([each]) => each.toLowerCase() === sought).map(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  };
  return { get, has: (name) => get(name) !== null };
}

/** By the deviations that are expected, and by all that there is of an exchange. */
const verdicts = new Map<string, Latest<string, Verdict>>();
const verdictsUnder = new WeakMap<ReadonlySet<string>, Latest<string, Verdict>>();

function verdictsWith(deviations: ReadonlySet<string>): Latest<string, Verdict> {
  const before = verdictsUnder.get(deviations);
  if (before !== undefined) return before;
  const key = [...deviations].join();
  const known = verdicts.get(key) ?? new Latest<string, Verdict>();
  verdicts.set(key, known);
  verdictsUnder.set(deviations, known);
  return known;
}

/** What the contract says of an exchange: of equal ones the same, and clients ask the same over and over. */
export function heldAgainst(
  contracts: readonly Contract[],
  exchange: Answered,
  deviations: ReadonlySet<string>,
): Verdict {
  const { request, response } = exchange;
  const asked = `${request.method} ${request.path}\n${request.body ?? ''}`;
  const key = `${asked}\n${response.status} ${response.headers.join()}\n${response.body}`;
  return recalled(verdictsWith(deviations), key, () => checkExchange(contracts, contractual(exchange), deviations));
}

/** Longer ones are rare, and would fill the memory. */
const LONGEST_KEY = 8192;

function recalled<T>(memory: Latest<string, T>, key: string, make: () => T): T {
  if (key.length > LONGEST_KEY) return make();
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make();
  memory.set(key, made);
  return made;
}

/** A JSON object that has a runtime in it: what else there is, the contract says nothing of. */
function hasRuntime(body: string | null): boolean {
  const value = parsed(body ?? '');
  return typeof value === 'object' && value !== null && 'SERVERLESS_RUNTIME' in value;
}
