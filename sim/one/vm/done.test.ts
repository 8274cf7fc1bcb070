/** VMs that are DONE stay readable for a while: so many of them, and then the oldest goes. */
import { expect, it } from 'vitest';
import { Judge } from '../../faults/judge.ts';
import { Clock } from '../../kernel/clock.ts';
import { Journal } from '../../kernel/journal.ts';
import { Random } from '../../kernel/random.ts';
import { CLOUD_DEFAULTS, Cloud } from '../cloud.ts';
import { TIMINGS } from '../timing.ts';

const ended = (kept: number, vms: number): number[] => {
  const clock = new Clock(0);
  const random = new Random(1);
  const journal = new Journal(clock);
  const ground = { clock, random, journal, judge: new Judge(clock, journal, random) };
  const cloud = new Cloud(ground, { ...CLOUD_DEFAULTS, timing: TIMINGS.instant, doneKept: kept });
  for (let n = 0; n < vms; n++) {
    const id = cloud.run(cloud.root, 'one.vm.allocate', 'CPU=1 MEMORY=64', true);
    cloud.run(cloud.root, 'one.vm.action', 'terminate-hard', id);
  }
  return Array.from(cloud.vms, ({ id }) => id);
};

it('keeps as many as it may, and forgets the oldest first', () => {
  expect(ended(3, 2)).toEqual([0, 1]);
  expect(ended(3, 8)).toEqual([5, 6, 7]);
  expect(ended(1, 4)).toEqual([3]);
  expect(ended(0, 4)).toEqual([]);
});
