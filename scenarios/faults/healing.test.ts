/** Rules that hold of every fault: what is used up changes nothing, and what is removed has healed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trial } from './trial.ts';

const MINUTE = 60_000;
const WELL = { engine: 'RUNNING', oned: 'RUNNING', oneflow: 'RUNNING', metrics: true };

const duration = fc.integer({ min: 1000, max: 10 * MINUTE });
const factor = fc.integer({ min: 2, max: 50 });
const always = <T extends string>(...words: T[]) => fc.constantFrom(...words).map((word) => ({ do: word }));

/** Faults that leave nothing for an administrator to do. */
const passing = fc.oneof(
  fc.record({
    selector: fc.constant({ layer: 'vm' }),
    effect: fc.oneof(
      always('stick', 'done-twice', 'unknown', 'lost-monitoring', 'zombie'),
      fc.record({ do: fc.constant('delay'), ms: duration }),
      fc.record({ do: fc.constant('unknown'), forMs: duration }),
    ),
  }),
  fc.record({
    selector: fc.constant({ layer: 'host' }),
    effect: fc.oneof(
      always('down'),
      fc.record({ do: fc.constant('flapping'), upMs: duration, downMs: duration }),
      fc.record({ do: fc.constant('capacity'), factor: fc.constantFrom(0, 0.5) }),
      fc.record({ do: fc.constant('degraded'), factor }),
    ),
  }),
  fc.record({ selector: fc.constant({ layer: 'oneflow' }), effect: always('warning', 'cooldown-stuck', 'lost') }),
  fc.record({
    selector: fc.constant({ layer: 'metrics' }),
    effect: fc.oneof(
      always('gap', 'stale', 'counter-reset', 'duplicate'),
      fc.record({ do: fc.constant('clock-skew'), ms: duration }),
    ),
  }),
);

describe('a fault of a runtime that runs', () => {
  it('has healed some time after it is removed, and left no event behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(passing, { minLength: 1, maxLength: 3 }), duration, async (faults, lasts) => {
        const { arm, disarm, pass, symptoms, simulator } = await trial();
        await pass(MINUTE);
        const ids: string[] = [];
        for (const fault of faults) ids.push(await arm(fault));
        await pass(lasts);
        for (const id of ids) await disarm(id);
        await pass(10 * MINUTE);
        expect(await symptoms()).toEqual(WELL);
        expect(simulator.world.clock.pending).toBe(0);
        expect(simulator.world.judge.idle).toBe(true);
      }),
      { seed: 1, numRuns: 25 },
    );
  }, 60_000);

  it('has healed some time after its own end, too', async () => {
    await fc.assert(
      fc.asyncProperty(passing, duration, async (fault, forMs) => {
        const { arm, pass, symptoms, fault: read } = await trial();
        await pass(MINUTE);
        const id = await arm({ ...fault, trigger: { window: { fromMs: 0, toMs: forMs } } });
        await pass(forMs + 10 * MINUTE);
        expect(await symptoms()).toEqual(WELL);
        expect(await read(id)).toMatchObject({ state: 'exhausted' });
      }),
      { seed: 1, numRuns: 25 },
    );
  }, 60_000);
});

describe('a fault whose budget is used up', () => {
  it('changes nothing in what follows', async () => {
    const journalOf = async (armed: boolean): Promise<string[]> => {
      const { arm, pass, rpc, vm, simulator } = await trial();
      if (armed) {
        // Another VM's trouble, which is over before ours has booted.
        await arm({ selector: { layer: 'vm', vm: 0 }, effect: { do: 'unknown' }, budget: { forMs: 1 } });
        await arm({ selector: { layer: 'host' }, effect: { do: 'degraded', factor: 9 }, budget: { forMs: 1 } });
      }
      await pass(MINUTE);
      await rpc('one.vm.action', 'poweroff', vm);
      await pass(MINUTE);
      await rpc('one.vm.action', 'resume', vm);
      await pass(MINUTE);
      return [...simulator.world.journal.since()]
        .filter(({ subject }) => subject === `vm/${vm}`)
        .map(({ at, kind, detail }) => `${at} ${kind} ${JSON.stringify(detail)}`);
    };
    expect(await journalOf(true)).toEqual(await journalOf(false));
  });
});

describe('the same seed', () => {
  it('gives the same verdicts and the same world', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const { arm, pass, rpc, vm, simulator } = await trial({ seed });
      await arm({ selector: { layer: 'vm' }, trigger: { probability: 0.4 }, effect: { do: 'delay', ms: 7000 } });
      for (let i = 0; i < 5; i++) {
        await pass(MINUTE);
        await rpc('one.vm.action', i % 2 === 0 ? 'poweroff' : 'resume', vm);
      }
      return [...simulator.world.journal.since()].map(({ at, kind, subject }) => `${at} ${kind} ${subject}`);
    };
    const once = await run(7);
    expect(await run(7)).toEqual(once);
    expect(await run(8)).not.toEqual(once);
  });
});

describe('a snapshot in the midst of faults', () => {
  it('goes on as the world itself does, and heals as it does', async () => {
    const one = await trial();
    await one.pass(MINUTE);
    for (const fault of [
      { selector: { layer: 'host', host: 'host0' }, effect: { do: 'flapping', upMs: 4 * MINUTE, downMs: 5 * MINUTE } },
      { selector: { layer: 'vm', operation: 'shutdown' }, effect: { do: 'zombie' } },
      { selector: { layer: 'vm', operation: 'deploy' }, trigger: { skip: 1 }, effect: { do: 'stick' } },
      {
        selector: { layer: 'metrics' },
        trigger: { probability: 0.5 },
        effect: { do: 'gap' },
        budget: { forMs: MINUTE },
      },
      { selector: { layer: 'oneflow' }, trigger: { after: { event: 'host.ERROR' } }, effect: { do: 'warning' } },
    ]) {
      await one.arm(fault);
    }
    await one.rpc('one.vm.action', 'poweroff', one.vm);
    await one.pass(4 * MINUTE);
    const snapshot = one.simulator.snapshot();
    const other = await trial({ seed: 99 });
    other.simulator.restore(snapshot);
    const goOn = async ({ pass, rpc, control, simulator, symptoms, vm, ask }: typeof one): Promise<unknown> => {
      await pass(7 * MINUTE);
      const midst = [await symptoms(), (await ask('/metrics')).text];
      await rpc('one.vm.action', 'resume', vm);
      await pass(10 * MINUTE);
      await control('DELETE', '/faults');
      await pass(10 * MINUTE);
      const { journal, clock } = simulator.world;
      return [midst, await symptoms(), (await ask('/metrics')).text, [...journal.since()], clock.pending];
    };
    expect(await goOn({ ...other, id: one.id, vm: one.vm, service: one.service })).toEqual(await goOn(one));
  }, 30_000);
});
