/** Which faults touch which attempts, how often, and when. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock } from '../kernel/clock.ts';
import { Journal } from '../kernel/journal.ts';
import { Random } from '../kernel/random.ts';
import type { Attempt, Fault } from './fault.ts';
import { Judge } from './judge.ts';
import type { Effect, FaultSpec, Selector, Trigger } from './schema.ts';

type OfVm = FaultSpec<'vm'>;

const ATTEMPT: Attempt<'vm'> = {
  layer: 'vm',
  operation: 'deploy',
  vm: 7,
  name: 'FAAS_0',
  host: 'host0',
  user: 'alice',
  service: 3,
  state: 'BOOT',
  label: (key) => ({ ROLE_NAME: 'FAAS' })[key],
};

const fault = (selector: Partial<Selector<'vm'>>, trigger?: Trigger, more: Partial<OfVm> = {}): OfVm => ({
  selector: { layer: 'vm', ...selector },
  ...(trigger === undefined ? {} : { trigger }),
  effect: { do: 'stick' },
  ...more,
});

function court(seed = 1) {
  const clock = new Clock(Date.UTC(2026, 0, 1));
  const journal = new Journal(clock);
  const judge = new Judge(clock, journal, new Random(seed));
  return { clock, journal, judge, asks: (attempt = ATTEMPT) => judge.judge(attempt) !== undefined };
}

/** For each of `count` attempts whether a fault touched it. */
function touched(spec: OfVm, count: number, seed = 1): boolean[] {
  const { judge, asks } = court(seed);
  judge.arm(spec);
  return Array.from({ length: count }, () => asks());
}

describe('faults that are removed together', () => {
  it('do not act on what the others leave', () => {
    const { judge, asks } = court();
    const asked: boolean[] = [];
    judge.follow('vm', { ended: () => void asked.push(asks()) });
    for (let i = 0; i < 3; i++) judge.arm(fault({}, undefined, { effect: { do: 'lost-monitoring' } }));
    judge.arm(fault({}));
    judge.disarmAll();
    expect(asked).toEqual([false, false, false, false]);
    expect([...judge.faults]).toEqual([]);
  });
});

describe('a selector', () => {
  it.each<[Partial<Selector<'vm'>>, boolean]>([
    [{}, true],
    [{ operation: 'deploy' }, true],
    [{ operation: 'prolog' }, false],
    [{ operation: '*' }, true],
    [{ operation: 'de*y' }, true],
    [{ vm: 7 }, true],
    [{ vm: 8 }, false],
    [{ service: 3 }, true],
    [{ service: 7 }, false],
    [{ name: 'FAAS_*' }, true],
    [{ name: 'FAAS' }, false],
    [{ name: '*_0*' }, true],
    [{ name: 'FAAS_0*0' }, false],
    [{ host: 'host1' }, false],
    [{ user: 'a*l*ce', host: 'host?' }, false],
    [{ user: 'a*l*ce', host: 'host*' }, true],
    [{ state: 'BOOT*' }, true],
    [{ state: 'RUNNING' }, false],
    [{ label: { ROLE_NAME: 'F*' } }, true],
    [{ label: { ROLE_NAME: 'DAAS' } }, false],
    [{ label: { NOPE: '*' } }, false],
  ])('%j matches: %s', (selector, matches) => {
    expect(touched(fault(selector), 1)).toEqual([matches]);
  });

  it('of one layer matches no attempt of another', () => {
    const { judge, asks } = court();
    judge.arm({ selector: { layer: 'api' }, effect: { do: 'auth-outage' } });
    expect(asks()).toBe(false);
    expect([judge.armed('vm'), judge.armed('api'), judge.idle]).toEqual([false, true, false]);
  });
});

describe('a trigger', () => {
  it.each<[Trigger, string]>([
    [{}, '111111'],
    [{ times: 2 }, '110000'],
    [{ skip: 2 }, '001111'],
    [{ skip: 1, times: 2 }, '011000'],
    [{ every: 2 }, '010101'],
    [{ every: 2, skip: 1 }, '001010'],
    [{ every: 2, times: 1 }, '010000'],
    [{ probability: 1 }, '111111'],
    [{ when: { vm: 'BOOT' } }, '111111'],
    [{ when: { vm: 'RUNNING' } }, '000000'],
    [{ when: { host: 'ERROR' } }, '000000'],
  ])('%j touches of six attempts %s', (trigger, expected) => {
    const { judge } = court();
    judge.arm(fault({}, trigger));
    const attempt = { ...ATTEMPT, states: { vm: 'BOOT' } };
    const got = Array.from({ length: 6 }, () => judge.judge(attempt) !== undefined);
    expect(got.map(Number).join('')).toBe(expected);
  });

  it('asks for the state of any, where none is concerned', () => {
    const { judge, asks } = court();
    const states = new Set<string>();
    judge.someIn = (of, pattern) => states.has(`${of} ${pattern}`);
    judge.arm(fault({}, { when: { host: 'ERROR' } }));
    expect(asks()).toBe(false);
    states.add('host ERROR');
    expect(asks()).toBe(true);
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

  it.each<[string, Trigger, string]>([
    ['offsets', { window: { fromMs: 2000, toMs: 5000 } }, '00111000'],
    ['instants', { window: { from: '2026-01-01T00:00:03Z', to: '2026-01-01T00:00:04.500Z' } }, '00011000'],
    ['no beginning', { window: { toMs: 2000 } }, '11000000'],
    ['no end', { window: { fromMs: 6000 } }, '00000011'],
    ['a past', { window: { to: '2025-01-01T00:00:00Z' } }, '00000000'],
  ])('in a window of %s touches second by second %s', (_, trigger, expected) => {
    const { judge, clock, asks } = court();
    judge.arm(fault({}, trigger));
    let got = '';
    for (let second = 0; second < 8; second++) {
      got += Number(asks());
      clock.advanceNow(1000);
    }
    expect(got).toBe(expected);
    if (trigger.window?.fromMs === undefined) expect(clock.pending).toBe(0);
  });

  it('waits for an event, and for a time after it', () => {
    const { judge, clock, journal, asks } = court();
    const armed = judge.arm(fault({}, { after: { event: 'vm.RUN*', subject: 'vm/9', delayMs: 1000 } }));
    journal.append('vm.state', 'vm/9', { from: 'PROLOG', to: 'BOOT' });
    journal.append('vm.state', 'vm/8', { from: 'BOOT', to: 'RUNNING' });
    clock.advanceNow(5000);
    expect([asks(), armed.state]).toEqual([false, 'waiting']);
    const cause = journal.append('vm.state', 'vm/9', { from: 'BOOT', to: 'RUNNING' });
    clock.advanceNow(999);
    expect(asks()).toBe(false);
    clock.advanceNow(1);
    expect([asks(), armed.state]).toEqual([true, 'armed']);
    expect(cause).toBeGreaterThan(0);
    expect(journal.onEntry).toBeUndefined();
  });

  it('after an event acts at once, if it is not a condition', () => {
    const { judge, journal, asks } = court();
    judge.arm(fault({}, { after: { event: 'fault.f9' } }));
    journal.append('fault', 'vm/1', { fault: 'f9', do: 'stick' });
    expect(asks()).toBe(true);
  });

  it("speaks the dummy drivers' words in turn", () => {
    const { judge } = court();
    const words = ['success', 'failure 2.5', '-', 'success 3', 'failure'];
    judge.arm(fault({}, { words }, { effect: { do: 'fail', message: 'no' } }));
    const said = Array.from({ length: 6 }, () => {
      const verdict = judge.judge(ATTEMPT);
      return verdict === undefined ? null : [verdict.effect, verdict.lastsMs];
    });
    const fails = { do: 'fail', message: 'no' };
    const goesWell = { do: 'delay', ms: 0 };
    expect(said).toEqual([
      null,
      [fails, 2500],
      [{ do: 'stick' }, undefined],
      [goesWell, 3000],
      [fails, undefined],
      null,
    ]);
  });
});

describe('a budget', () => {
  it('of time runs from the first touch', () => {
    const { judge, clock, asks } = court();
    const { id } = judge.arm(fault({}, {}, { budget: { forMs: 3000 } }));
    clock.advanceNow(10_000);
    expect(asks()).toBe(true);
    clock.advanceNow(2999);
    expect(asks()).toBe(true);
    clock.advanceNow(1);
    expect([asks(), judge.find(id)?.state, judge.armed('vm')]).toEqual([false, 'exhausted', false]);
  });

  it('that is used up changes nothing any more, whatever was asked for', () => {
    const spec = fc.record({
      hits: fc.integer({ min: 1, max: 4 }),
      skip: fc.integer({ min: 0, max: 3 }),
      every: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(spec, fc.integer({ min: 0, max: 40 }), ({ hits, skip, every }, asked) => {
        const { judge, asks } = court();
        const armed = judge.arm(fault({}, { skip, every }, { budget: { hits } }));
        const got = Array.from({ length: asked }, () => asks()).filter(Boolean).length;
        expect(got).toBe(Math.min(hits, Math.max(0, Math.floor((asked - skip) / every))));
        expect(armed.hits).toBe(got);
        expect(judge.armed('vm')).toBe(got < hits);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('several faults', () => {
  it('the first that is due decides; those behind it do not see the attempt', () => {
    const { judge } = court();
    const first = judge.arm(fault({}, { times: 1 }));
    const second = judge.arm(fault({ operation: 'deploy' }));
    expect([judge.judge(ATTEMPT)?.fault.id, judge.judge(ATTEMPT)?.fault.id]).toEqual([first.id, second.id]);
    expect([first, second].map(({ seen, hits }) => [seen, hits])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('have names that are never used again', () => {
    const { judge } = court();
    const { id } = judge.arm(fault({}));
    expect(judge.disarm(id)).toBe(true);
    expect(judge.disarm(id)).toBe(false);
    expect(judge.idle).toBe(true);
    expect(judge.arm(fault({})).id).not.toBe(id);
    judge.disarmAll();
    expect([...judge.faults]).toEqual([]);
  });

  it('may have names of their own', () => {
    const { judge } = court();
    judge.arm(fault({}, {}, { id: 'f1' }));
    expect([judge.find('f1')?.id, judge.arm(fault({})).id]).toEqual(['f1', 'f2']);
  });
});

describe('a condition', () => {
  const down: FaultSpec<'host'> = { selector: { layer: 'host', host: 'host*' }, effect: { do: 'down' } };
  const HOST: Attempt<'host'> = { layer: 'host', host: 'host0', state: 'MONITORED' };

  function followed() {
    const { judge, clock, journal } = court();
    const told: string[] = [];
    judge.follow('host', {
      began: (begun: Fault<'host'>) => told.push(`${begun.id} began`),
      ended: (ended: Fault<'host'>) => told.push(`${ended.id} ended`),
    });
    return { judge, clock, journal, told };
  }

  it('tells who follows its layer when it begins and when it ends', () => {
    const { judge, clock, told } = followed();
    const armed = judge.arm({ ...down, trigger: { window: { fromMs: 1000 } }, budget: { forMs: 2000 } });
    expect(told).toEqual([]);
    clock.advanceNow(1000);
    expect(told).toEqual(['f1 began']);
    expect(judge.hold(HOST)?.fault).toBe(armed);
    clock.advanceNow(2000);
    expect(told).toEqual(['f1 began', 'f1 ended']);
    expect(judge.hold(HOST)).toBeUndefined();
    const start = Date.UTC(2026, 0, 1);
    expect(armed.active).toEqual([{ from: start + 1000, to: start + 3000 }]);
    expect(clock.pending).toBe(0);
  });

  it('ends when it is removed, once', () => {
    const { judge, told, clock } = followed();
    const { id } = judge.arm({ ...down, budget: { forMs: 1000 } });
    clock.advanceNow(1000);
    judge.disarm(id);
    judge.disarmAll();
    expect(told).toEqual(['f1 began', 'f1 ended']);
  });

  it('that never began has nothing to end', () => {
    const { judge, told, clock } = followed();
    judge.arm({ ...down, trigger: { window: { fromMs: 1000 } } });
    judge.disarmAll();
    clock.advanceNow(5000);
    expect([told, clock.pending]).toEqual([[], 0]);
  });

  it('touches as many things as its budget says, and no attempt', () => {
    const { judge } = followed();
    judge.arm({ ...down, budget: { hits: 1 } });
    expect([judge.hold(HOST), judge.hold(HOST)].map((verdict) => verdict !== undefined)).toEqual([true, false]);
    expect(judge.judge(HOST)).toBeUndefined();
    expect(judge.armed('host')).toBe(true);
  });

  it('begins after its event, never in the midst of it', () => {
    const { judge, clock, journal, told } = followed();
    judge.arm({ ...down, trigger: { after: { event: 'vm.BOOT' } } });
    journal.append('vm.state', 'vm/1', { from: 'PROLOG', to: 'BOOT' });
    expect(told).toEqual([]);
    clock.advanceNow(0);
    expect(told).toEqual(['f1 began']);
  });

  it('leads back to the event that it waited for', () => {
    const { judge, clock, journal } = followed();
    judge.arm({ ...down, trigger: { after: { event: 'vm.BOOT', delayMs: 10 } } });
    const event = journal.append('vm.state', 'vm/1', { from: 'PROLOG', to: 'BOOT' });
    clock.advanceNow(10);
    const began = [...journal.since()].find(({ kind }) => kind === 'fault.began');
    expect(began?.cause).toBe(event);
  });
});

describe('the state of a judge', () => {
  it('is all that its verdicts depend on', () => {
    const effects: Effect<'vm'>[] = [{ do: 'stick' }, { do: 'fail' }, { do: 'delay', ms: 1 }];
    const trigger: Trigger = { probability: 0.5, skip: 2 };
    const [one, other] = [court(), court()];
    for (const effect of effects) one.judge.arm(fault({}, trigger, { effect, budget: { hits: 9 } }));
    for (let i = 0; i < 10; i++) one.asks();
    other.judge.restore(structuredClone(one.judge.state()));
    const rest = [one, other].map(({ judge }) =>
      Array.from({ length: 40 }, () => judge.judge(ATTEMPT)?.fault.id ?? null),
    );
    expect(rest[1]).toEqual(rest[0]);
  });
});
