/** What generated scenarios are made of: all of it comes, and whatever comes is a scenario file that can be read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SMALL, scenarios } from './generator.ts';
import { INTENSITIES } from './mischief.ts';
import { readScenario } from './read-scenario.ts';
import { type Fault, writeScenario } from './scenario.ts';

const sample = fc.sample(scenarios(SMALL), { seed: 1, numRuns: 300 });

test('each can be written, and is read again as it was', async () => {
  for (const scenario of sample.slice(0, 20)) {
    expect(await readScenario(writeScenario(scenario), 'x.json')).toEqual(JSON.parse(JSON.stringify(scenario)));
  }
});

test('updates are of everything that a client may change, honest, at an edge and flawed', () => {
  const sent = new Set(
    sample.flatMap(({ steps }) => steps.flatMap((step) => (step.op === 'put' ? shapeOf(step) : []))),
  );
  expect(sent).toEqual(new Set(['capacity', 'name', 'scheduling', 'deviceInfo', 'raw', 'text']));
});

function shapeOf(step: object): string[] {
  if ('send' in step) return ['raw'];
  if ('sendText' in step) return ['text'];
  const { faas, ...others } = ('args' in step ? step.args : {}) as Readonly<Record<string, unknown>>;
  return [...(faas === undefined ? [] : ['capacity']), ...Object.keys(others).filter((key) => key !== 'daas')];
}

describe('faults lie in time', () => {
  const { asDrawn, frequentAndShort, rareAndLong, burst, correlated } = INTENSITIES;
  const faults = [
    { id: 'f1', kind: 'operator', ref: 'r1', action: 'suspend', after: { event: 's1.answered' } },
    { id: 'f1-next', kind: 'operator', ref: 'r1', action: 'resume', after: { event: 'f1.began' } },
    { id: 'f2', kind: 'hostDown', ref: 'r1', after: { event: 's2.sent' }, forMs: 1000 },
    { id: 'f3', kind: 'driver', do: 'fail', action: 'deploy', forMs: 60_000 },
  ] as const satisfies readonly Fault[];
  const toldFrom = (given: readonly Fault[]): unknown[] => given.map(({ after }) => after?.event ?? 'nothing');

  test('as drawn', () => expect(asDrawn(faults)).toEqual(faults));

  test('often and shortly', () =>
    expect(frequentAndShort(faults).map((each) => ('forMs' in each ? each.forMs : 0))).toEqual([0, 0, 100, 6000]));

  test('rarely and long: one, with what belongs to it', () => {
    expect(rareAndLong(faults).map(({ id }) => id)).toEqual(['f1', 'f1-next']);
    expect(rareAndLong(faults.slice(2))).toEqual([{ ...faults[2], forMs: 10_000 }]);
  });

  test('in a burst', () =>
    expect(toldFrom(burst(faults))).toEqual(['s1.answered', 'f1.began', 's1.answered', 's1.answered']));

  test('each told from the one before', () =>
    expect(toldFrom(correlated(faults))).toEqual(['s1.answered', 'f1.began', 'f1.began', 'f2.began']));

  test('none stays none', () => expect(Object.values(INTENSITIES).flatMap((lie) => lie([]))).toEqual([]));
});
