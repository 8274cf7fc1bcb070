/** Faults of live monitoring: what a client of a stream sees, and that it heals. */
import { describe, expect, it } from 'vitest';
import { Judge } from '../../faults/judge.ts';
import type { FaultSpec } from '../../faults/schema.ts';
import { Clock } from '../../kernel/clock.ts';
import { Journal } from '../../kernel/journal.ts';
import { createSimulator } from '../../simulator.ts';
import { Streams } from './streams.ts';
import { TODAY, userGuide } from './testing.ts';

/** A reader of a stream of two metrics, and what it is given: frames, closes and garbage. */
function reading() {
  const { metrics, random, config } = createSimulator({ epochMs: TODAY, furnish: userGuide }).world;
  // A clock of its own, on which nothing else happens.
  const clock = new Clock(TODAY);
  const journal = new Journal(clock);
  const judge = new Judge(clock, journal, random);
  const streams = new Streams({ clock, journal, judge, random, metrics, deviations: config.deviations });
  const seen: string[] = [];
  const id = streams.open(['vm_up', 'vm_cpu_perc'], []) ?? '';
  const connection = streams.connect(id, {
    send: (text) => seen.push(/vm_\w+|Socket \w+|Error/.exec(text)?.[0] ?? text),
    garble: () => seen.push('garbage'),
    close: (code) => seen.push(`closed ${code}`),
    unread: () => 0,
  });
  const arm = (effect: FaultSpec<'websocket'>['effect'], metric?: string, hits?: number): string =>
    judge.arm({
      selector: { layer: 'websocket', ...(metric === undefined ? {} : { metric }) },
      effect,
      ...(hits === undefined ? {} : { budget: { hits } }),
    } as FaultSpec).id;
  /** What comes in the next ticks, tick by tick. */
  const ticks = async (count: number): Promise<string[]> => {
    const lines: string[] = [];
    for (let i = 0; i < count; i++) {
      seen.length = 0;
      await clock.advance(3000);
      lines.push(seen.join(' '));
    }
    return lines;
  };
  return { judge, journal, connection, arm, ticks, seen };
}

const BOTH = 'vm_up vm_cpu_perc';

describe('a stream', () => {
  it.each<[FaultSpec<'websocket'>['effect'], string[]]>([
    [{ do: 'drop' }, ['vm_cpu_perc', BOTH]],
    [{ do: 'duplicate' }, ['vm_up vm_up vm_cpu_perc', BOTH]],
    [{ do: 'reorder' }, ['vm_cpu_perc vm_up', BOTH]],
    [{ do: 'close' }, ['closed 1011 vm_cpu_perc', BOTH]],
    [{ do: 'close', code: 4000 }, ['closed 4000 vm_cpu_perc', BOTH]],
    [{ do: 'bad-frame' }, ['garbage vm_cpu_perc', BOTH]],
    [{ do: 'delay', ms: 1000 }, ['vm_cpu_perc', `vm_up ${BOTH}`]],
  ])('once: %j', async (effect, expected) => {
    const { arm, ticks } = reading();
    expect(await ticks(1)).toEqual([BOTH]);
    arm(effect, undefined, 1);
    expect(await ticks(2)).toEqual(expected);
  });

  it('loses one metric, until the fault is taken away', async () => {
    const { judge, journal, arm, ticks } = reading();
    const id = arm({ do: 'drop' }, 'vm_cpu*');
    expect(await ticks(2)).toEqual(['vm_up', 'vm_up']);
    judge.disarm(id);
    expect(await ticks(1)).toEqual([BOTH]);
    expect([...journal.since()].filter(({ kind }) => kind === 'fault')).toHaveLength(2);
  });

  it('goes quiet without closing, answers nothing, and comes back when the fault is taken away', async () => {
    const { judge, connection, arm, ticks, seen } = reading();
    const id = arm({ do: 'silence' }, undefined, 1);
    expect(await ticks(2)).toEqual(['', '']);
    connection.receive();
    expect(seen).toEqual([]);
    judge.disarm(id);
    connection.receive();
    expect(seen).toEqual(['Error']);
    expect(await ticks(1)).toEqual([BOTH]);
  });

  it('leaves a ping without a pong', () => {
    const { connection, arm } = reading();
    expect(connection.pinged()).toBe(true);
    arm({ do: 'stalled-pong' }, undefined, 2);
    expect([connection.pinged(), connection.pinged(), connection.pinged()]).toEqual([false, false, true]);
  });
});
