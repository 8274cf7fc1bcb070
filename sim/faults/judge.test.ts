/** Which faults touch which driver actions, and how often. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../kernel/random.ts';
import type { FaultSpec, Selector, Trigger } from './fault.ts';
import { type Attempt, Judge } from './judge.ts';

const ATTEMPT: Attempt = { layer: 'vm', action: 'deploy', vm: 7, name: 'FAAS_0', host: 'host0', user: 'alice' };

const fault = (selector: Partial<Selector>, trigger?: Trigger): FaultSpec => ({
  selector: { layer: 'vm', ...selector },
  ...(trigger === undefined ? {} : { trigger }),
  effect: { do: 'stick' },
});

/** For each of `count` attempts whether a fault touched it. */
function touched(spec: FaultSpec, count: number, seed = 1): boolean[] {
  const judge = new Judge(new Random(seed));
  judge.arm(spec);
  return Array.from({ length: count }, () => judge.judge(ATTEMPT) !== undefined);
}

describe('a selector', () => {
  it.each<[Partial<Selector>, boolean]>([
    [{}, true],
    [{ action: 'deploy' }, true],
    [{ action: 'prolog' }, false],
    [{ action: '*' }, true],
    [{ action: 'de*y' }, true],
    [{ vm: 7 }, true],
    [{ vm: 8 }, false],
    [{ name: 'FAAS_*' }, true],
    [{ name: 'FAAS' }, false],
    [{ name: '*_0*' }, true],
    [{ name: 'FAAS_0*0' }, false],
    [{ host: 'host1' }, false],
    [{ user: 'a*l*ce', host: 'host?' }, false],
    [{ user: 'a*l*ce', host: 'host*' }, true],
  ])('%j matches: %s', (selector, matches) => {
    expect(touched(fault(selector), 1)).toEqual([matches]);
  });

  it('takes a star for any text, as a regular expression would', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
    fc.assert(
      fc.property(word, pattern, (name, text) => {
        const judge = new Judge(new Random(1));
        judge.arm(fault({ name: text }));
        const expected = new RegExp(`^${text.replaceAll('*', '.*')}$`).test(name);
        expect(judge.judge({ ...ATTEMPT, name }) !== undefined).toBe(expected);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('a trigger', () => {
  it.each<[Trigger, string]>([
    [{}, '11111'],
    [{ times: 2 }, '11000'],
    [{ skip: 2 }, '00111'],
    [{ skip: 1, times: 2 }, '01100'],
    [{ probability: 1 }, '11111'],
  ])('%j touches of five attempts %s', (trigger, expected) => {
    expect(touched(fault({}, trigger), 5).map(Number).join('')).toBe(expected);
  });

  it('with a probability touches about that share, the same again with the same seed', () => {
    const once = touched(fault({}, { probability: 0.3 }), 2000);
    expect(once.filter(Boolean).length / 2000).toBeCloseTo(0.3, 1);
    expect(touched(fault({}, { probability: 0.3 }), 2000)).toEqual(once);
    expect(touched(fault({}, { probability: 0.3 }), 2000, 2)).not.toEqual(once);
  });

  it('counts what it touches, not what it might have', () => {
    expect(touched(fault({}, { probability: 0.3, times: 4 }), 500).filter(Boolean)).toHaveLength(4);
  });
});

describe('several faults', () => {
  it('the first that is due decides; those behind it do not see the attempt', () => {
    const judge = new Judge(new Random(1));
    const first = judge.arm(fault({}, { times: 1 }));
    const second = judge.arm(fault({ action: 'deploy' }));
    expect([judge.judge(ATTEMPT)?.fault.id, judge.judge(ATTEMPT)?.fault.id]).toEqual([first.id, second.id]);
    expect([first, second].map(({ seen, hits }) => [seen, hits])).toEqual([
      [2, 1],
      [1, 1],
    ]);
  });

  it('have names that are never used again', () => {
    const judge = new Judge(new Random(1));
    const { id } = judge.arm(fault({}));
    expect(judge.disarm(id)).toBe(true);
    expect(judge.disarm(id)).toBe(false);
    expect(judge.idle).toBe(true);
    expect(judge.arm(fault({})).id).not.toBe(id);
    judge.disarmAll();
    expect([...judge.faults]).toEqual([]);
  });
});
