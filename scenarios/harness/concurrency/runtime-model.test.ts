import { describe, expect, test } from 'vitest';
import { believe } from './belief-set.ts';
import type { Operation } from './operation.ts';
import { type Known, phasesOf, runtimeMade, runtimeSeen } from './runtime-model.ts';

interface Shown {
  readonly name?: string;
  readonly state?: string;
  readonly cpu?: number;
  readonly disk?: number;
  readonly more?: object;
}

const shown = ({ name = 'one', state = 'RUNNING', cpu = 1, disk = 1024, more = {} }: Shown): string => {
  const FAAS = { VM_ID: 1, STATE: state, CPU: cpu, MEMORY: 128, DISK_SIZE: disk };
  return JSON.stringify({ SERVERLESS_RUNTIME: { NAME: name, ID: 8, FAAS, ...more } });
};
const wish = (cpu: number, disk = 1024, more: object = {}): string =>
  JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { CPU: cpu, MEMORY: 128, DISK_SIZE: disk }, ...more } });

/** `null` for an answer that never came. */
type Exchange = readonly [method: string, status: number | null, answered: string, asked?: string];
const get = (of: Shown): Exchange => ['GET', 200, shown(of)];
const put = (asked: string, status: number | null, answered = ''): Exchange => ['PUT', status, answered, asked];
const GONE: Exchange = ['GET', 404, ''];
const del = (status: number | null): Exchange => ['DELETE', status, ''];

const made = runtimeMade(shown({ state: 'PENDING' }));

/** When an exchange began, and when it was over. */
type Span = readonly [invoked: number, returned: number];

/** The first answer that cannot follow, and why. @param spans unless they follow one another */
function odd(
  exchanges: readonly Exchange[],
  deviations: readonly string[] = [],
  disturbed = false,
  spans: readonly Span[] = exchanges.map((_, n) => [2 * n, 2 * n + 1]),
): string {
  if (made === undefined) throw new Error('nothing was made');
  const operations = exchanges.map(([method, status, answered, asked = null], n): Operation<Known> => {
    const phases = phasesOf({ n, method, status, asked, answered, disturbed }, new Set(deviations));
    const [invoked, over] = spans[n] ?? [0, 0];
    const returned = status === null ? Number.POSITIVE_INFINITY : over;
    return { name: `${n + 1}`, invoked, returned, phases, looks: method === 'GET' };
  });
  const { impossible } = believe(made, operations, ({ name }) => runtimeSeen(exchanges[Number(name) - 1]?.[2] ?? ''));
  const [first] = impossible;
  return first === undefined ? 'nothing' : `${first.operation.name}: ${first.why}`;
}

describe('of a runtime it can be believed that', () => {
  test.each<[string, readonly Exchange[], (readonly string[])?]>([
    ['it comes up', [get({ state: 'PENDING' }), get({}), get({})]],
    ['it is resized', [get({}), put(wish(2), 200, shown({ cpu: 2 })), get({ cpu: 2 })]],
    [
      'it takes another name',
      [get({}), put(wish(1, 1024, { NAME: 'two' }), 200, shown({ name: 'two' })), get({ name: 'two' })],
    ],
    [
      'it takes another name, which the answer does not have yet',
      [get({}), put(wish(1, 1024, { NAME: 'two' }), 200, shown({})), get({ name: 'two' })],
      ['rename-shows-late'],
    ],
    [
      'a refused update has renamed it',
      [put(wish(1, 1024, { NAME: 'two' }), 423), get({ name: 'two' })],
      ['rename-before-423'],
    ],
    ['an update that failed has done the half of it', [get({}), put(wish(2, 1), 500), get({ cpu: 2 })]],
    ['an update that failed has done nothing', [get({}), put(wish(2, 1), 500), get({})]],
    ['an update without an answer was done', [get({}), put(wish(2), null), get({ cpu: 2 })]],
    ['an update without an answer was not done, or not yet', [get({}), put(wish(2), null), get({}), get({ cpu: 2 })]],
    ['a deletion without an answer was done', [get({}), del(null), GONE, GONE]],
    ['a deletion without an answer was not done', [get({}), del(null), get({}), get({})]],
    ['it is deleted', [get({}), del(204), GONE, del(404)]],
    ['what is resized shows both sizes in one', [get({}), put(wish(2), null), get({ cpu: 12, state: 'UPDATING' })], []],
  ])('%s', (name, exchanges, deviations = []) => {
    const also = name.includes('both sizes') ? ['capacity-run-together'] : [];
    // Memory is run together as well.
    const whole = also.length > 0 ? exchanges.map(together) : exchanges;
    expect(odd(whole, [...deviations, ...also])).toBe('nothing');
  });
});

const together = ([method, status, answered, asked]: Exchange): Exchange => {
  const body = answered.includes('UPDATING') ? answered.replace('"MEMORY":128', '"MEMORY":128128') : answered;
  return asked === undefined ? [method, status, body] : [method, status, body, asked];
};

describe('of a runtime it cannot be believed that', () => {
  test.each<[string, readonly Exchange[], string]>([
    [
      'it grows by itself',
      [get({}), get({ cpu: 2 })],
      '2: FAAS has CPU 1, MEMORY 128, DISK_SIZE 1024, not CPU 2, MEMORY 128, DISK_SIZE 1024',
    ],
    [
      'it is resized by itself',
      [get({}), get({ state: 'UPDATING' })],
      '2: FAAS cannot be UPDATING: POWEROFF RUNNING UNKNOWN',
    ],
    ['it takes another name by itself', [get({}), get({ name: 'two' })], '2: it is called "one", not "two"'],
    [
      'an acknowledged update is undone',
      [get({}), put(wish(2), 200, shown({ cpu: 2 })), get({})],
      '3: FAAS has CPU 2, MEMORY 128, DISK_SIZE 1024, not CPU 1, MEMORY 128, DISK_SIZE 1024',
    ],
    [
      'an update without an answer is done, and undone',
      [get({}), put(wish(2), null), get({ cpu: 2 }), get({})],
      '4: FAAS has CPU 2, MEMORY 128, DISK_SIZE 1024, not CPU 1, MEMORY 128, DISK_SIZE 1024',
    ],
    [
      'a refused update has renamed it',
      [put(wish(1, 1024, { NAME: 'two' }), 423), get({ name: 'two' })],
      '2: it is called "one", not "two"',
    ],
    ['what is deleted is there', [get({}), del(204), get({})], '3: it has been deleted'],
    ['what is there is not found', [get({}), GONE], '2: it is there'],
    ['it has a DAAS now', [get({}), get({ more: { DAAS: { VM_ID: 2, STATE: 'RUNNING' } } })], '2: it has no DAAS'],
    [
      'it tells where it is to run, and nobody has said so',
      [get({}), get({ more: { SCHEDULING: { POLICY: 'x' } } })],
      '2: it says {}, not {"SCHEDULING":{"POLICY":"x"}}',
    ],
  ])('%s', (_, exchanges, why) => {
    expect(odd(exchanges)).toBe(why);
  });
});

test('of two updates at once one is lost only where the server writes back what it has read', () => {
  const near = { DEVICE_INFO: { LATENCY_TO_PE: 7 } };
  const answers = (left: object): string[] =>
    [[], ['put-writes-what-it-read']].map((deviations) =>
      odd(
        [
          get({}),
          put(wish(2), 200, shown({ cpu: 2, more: left })),
          put(wish(1, 1024, near), 200, shown({ more: near })),
          get({ cpu: 2, more: left }),
        ],
        deviations,
        false,
        [
          [0, 1],
          [2, 5],
          [3, 4],
          [6, 7],
        ],
      ),
    );
  expect(answers({})).toEqual([expect.stringContaining('it says {"DEVICE_INFO"'), 'nothing']);
  expect(answers(near)).toEqual(['nothing', 'nothing']);
});

test('where something else may have touched it, its state and what it is resized to are open', () => {
  expect(odd([get({}), get({ state: 'UPDATING' }), GONE], [], true)).toBe('nothing');
  expect(odd([get({}), put(wish(2), null), get({ cpu: 2 }), get({ state: 'ERROR', cpu: 2 })], [], true)).toBe(
    'nothing',
  );
});
