import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { type Scene, sceneIn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);
const add = ({ cloud, vm }: Scene, text: string) =>
  cloud.call(TESTER, 'one.vm.schedadd', vm.id, `SCHED_ACTION=[${text}]`);
/** Lets time pass up to a second since the epoch. */
const until = ({ cloud }: Scene, seconds: number) => void cloud.clock.advanceNow(seconds * 1000 - cloud.clock.now);

const WRONG = '[poweroff] Error performing action "poweroff": This action is not available for state PENDING';

describe('a scheduled action', () => {
  it('is done when its time has come, whether that is absolute or counts from the start of the VM', () => {
    for (const relative of [false, true]) {
      const scene = at('RUNNING');
      const { cloud, vm } = scene;
      const due = vm.stime + 600;
      add(scene, `ACTION=poweroff, TIME=${relative ? '"+600"' : due}`);
      cloud.clock.advanceNow(due * 1000 - cloud.clock.now - 1);
      expect(vm.state).toBe('RUNNING');
      cloud.clock.advanceNow(1);
      expect(vm.state).toBe('SHUTDOWN_POWEROFF');
      expect(vm.scheduled).toMatchObject([{ done: due, message: '' }]);
    }
  });

  it('is done at once when its time has passed', () => {
    const scene = at('RUNNING');
    add(scene, 'ACTION=snapshot-create, ARGS=early, TIME=1');
    scene.cloud.clock.advanceNow(0);
    expect(scene.vm.snapshots.map(({ name }) => name)).toEqual(['early']);
  });

  it('that is refused says so and stays undone, and is tried again a round later', () => {
    const scene = at('PENDING');
    add(scene, 'ACTION=poweroff, TIME=1');
    scene.cloud.clock.advanceNow(0);
    expect(scene.vm.scheduled).toMatchObject([{ done: -1, message: `Sat Nov 21 00:00:00 2026 : ${WRONG}` }]);
    scene.cloud.clock.advanceNow(15_000);
    expect(scene.vm.scheduled).toMatchObject([{ done: -1, message: `Sat Nov 21 00:00:15 2026 : ${WRONG}` }]);
    scene.deploy();
    scene.until('RUNNING');
    scene.cloud.clock.advanceNow(15_000);
    expect(scene.vm.state).toBe('POWEROFF');
    expect(scene.vm.scheduled[0]).toMatchObject({ done: scene.vm.stime + 30, message: '' });
  });

  it('holds up those of the same VM that come later, while it is refused', () => {
    const scene = at('PENDING');
    const first = add(scene, 'ACTION=poweroff, TIME=1');
    add(scene, 'ACTION=hold, TIME=2');
    scene.cloud.clock.advanceNow(60_000);
    expect([scene.vm.state, scene.vm.scheduled[1]?.message]).toEqual(['PENDING', '']);
    scene.cloud.call(TESTER, 'one.vm.scheddelete', scene.vm.id, first);
    scene.cloud.clock.advanceNow(0);
    expect(scene.vm.state).toBe('HOLD');
  });

  it.each([
    ['snapshot-create', '', 'snapshot-name'],
    ['snapshot-revert', 'x', 'snapshot-id'],
    ['snapshot-delete', '', 'snapshot-id'],
    ['disk-snapshot-create', '0,', 'disk-id, snapshot-name'],
    ['disk-snapshot-revert', '0', 'disk-id, snapshot-id'],
    ['disk-snapshot-delete', '0,x', 'disk-id, snapshot-id'],
  ])('%s is not done with ARGS="%s"', (action, args, format) => {
    const scene = at('RUNNING');
    add(scene, `ACTION=${action}, ARGS="${args}", TIME=1`);
    scene.cloud.clock.advanceNow(0);
    expect(scene.vm.scheduled[0]?.message).toMatch(
      new RegExp(` : Missing or malformed ARGS for: ${action}. Format: ${format}$`),
    );
  });

  it('can be put off and taken back, and then leaves nothing in the queue', () => {
    const scene = at('RUNNING');
    const { cloud, vm } = scene;
    const { pending } = cloud.clock;
    const id = add(scene, `ACTION=poweroff, TIME="+60"`);
    cloud.call(TESTER, 'one.vm.schedupdate', vm.id, id, 'SCHED_ACTION=[TIME="+120"]');
    expect(cloud.clock.pending).toBe(pending + 1);
    cloud.clock.advanceNow(100_000);
    expect(vm.state).toBe('RUNNING');
    expect(cloud.call(TESTER, 'one.vm.scheddelete', vm.id, id)).toBe(id);
    expect(cloud.clock.pending).toBe(pending);
    expect(vm.scheduled).toEqual([]);
  });

  it('is done a second time when it is updated to a time after the first', () => {
    const scene = at('RUNNING');
    const { cloud, vm } = scene;
    const id = add(scene, 'ACTION=snapshot-create, ARGS=x, TIME=1');
    cloud.clock.advanceNow(1000);
    cloud.call(TESTER, 'one.vm.schedupdate', vm.id, id, 'SCHED_ACTION=[TIME=2]');
    cloud.clock.advanceNow(60_000);
    expect(vm.snapshots).toHaveLength(1);
    cloud.call(TESTER, 'one.vm.schedupdate', vm.id, id, `SCHED_ACTION=[TIME=${cloud.seconds + 5}]`);
    cloud.clock.advanceNow(60_000);
    expect(vm.snapshots).toHaveLength(2);
  });

  it.each(['9000000000000', '300000000000'])('may wait for ever: TIME=%s', (time) => {
    const scene = at('RUNNING');
    const { pending } = scene.cloud.clock;
    add(scene, `ACTION=poweroff, TIME=${time}`);
    expect(scene.cloud.clock.pending).toBe(pending);
    expect(scene.vm.scheduled[0]?.done).toBe(-1);
  });

  it('dies with the VM', () => {
    const scene = at('PENDING');
    const { pending } = scene.cloud.clock;
    const id = add(scene, 'ACTION=hold, TIME="+60"');
    scene.act('terminate');
    expect(scene.cloud.clock.pending).toBe(pending);
    expect(refusalOf(() => scene.cloud.call(TESTER, 'one.vm.scheddelete', scene.vm.id, id))).toBe(
      'NO_EXISTS [one.vm.scheddelete] Error getting scheduled action [0].',
    );
  });

  it('comes with the template of the VM', () => {
    const cloud = furnishedCloud();
    const extra = 'SCHED_ACTION=[ACTION=hold, TIME="+60"] SCHED_ACTION=[ACTION=release, TIME="+90"]';
    const vm = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, 'x', false, extra));
    expect(vm.userTemplate.has('SCHED_ACTION')).toBe(false);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('HOLD');
    cloud.clock.advanceNow(30_000);
    expect(vm.state).toBe('PENDING');
  });
});

describe('one that recurs', () => {
  // The simulated day is Saturday, 2026-11-21.
  const day = (offset: number) => Date.UTC(2026, 10, 21) / 1000 + offset * 86_400;
  const HOUR = 3600;

  /** The times at which a snapshot is taken. */
  function times(text: string, days: number): number[] {
    const scene = at('RUNNING');
    add(scene, `ACTION=snapshot-create, ARGS=s, ${text}`);
    until(scene, day(days));
    return scene.vm.snapshots.map(({ time }) => time);
  }

  it('weekly: on days of the week, at the time of day of the first', () => {
    expect(times(`TIME=${day(0) + HOUR}, REPEAT=0, DAYS="1,6"`, 10)).toEqual(
      [0, 2, 7, 9].map((each) => day(each) + HOUR),
    );
  });

  it('monthly: on days of the month', () => {
    expect(times(`TIME=${day(0) + HOUR}, REPEAT=1, DAYS="1,25"`, 40)).toEqual(
      [0, 4, 10, 34].map((each) => day(each) + HOUR),
    );
  });

  it('yearly: on days of the year, counted from 0', () => {
    expect(times(`TIME=${day(0) + HOUR}, REPEAT=2, DAYS="0,330"`, 50)).toEqual(
      [0, 6, 41].map((each) => day(each) + HOUR),
    );
  });

  it('hourly: after so many hours', () => {
    expect(times(`TIME=${day(0) + HOUR}, REPEAT=3, DAYS="10"`, 1)).toEqual([1, 11, 21].map((h) => day(0) + h * HOUR));
  });

  it('ends after so many repetitions, or with a date', () => {
    const hourly = `TIME=${day(0) + HOUR}, REPEAT=3, DAYS="1"`;
    expect(times(`${hourly}, END_TYPE=1, END_VALUE=2`, 1)).toHaveLength(3);
    expect(times(`${hourly}, END_TYPE=2, END_VALUE=${day(0) + 4 * HOUR}`, 1)).toHaveLength(5);
    expect(times(`${hourly}, END_TYPE=0`, 1)).toHaveLength(24);
    expect(times(`${hourly}, END_TYPE=1`, 1)).toHaveLength(1);
  });

  it('skips what it has missed when it counts in hours', () => {
    const scene = at('RUNNING');
    add(scene, 'ACTION=snapshot-create, ARGS=s, TIME=1, REPEAT=3, DAYS="5"');
    scene.cloud.clock.advanceNow(0);
    expect(scene.vm.snapshots).toHaveLength(1);
    expect((scene.vm.scheduled[0]?.time ?? 0) - scene.cloud.seconds).toBeLessThan(5 * HOUR);
    expect((scene.vm.scheduled[0]?.time ?? 0) % (5 * HOUR)).toBe(1);
  });

  it('every 0 hours happens once', () => {
    expect(times('TIME=1, REPEAT=3, DAYS="0"', 1)).toHaveLength(1);
  });
});

const REFUSED: readonly [sched: string, why: string][] = [
  ['ACTION=fly, TIME=1', 'fly is not supported.'],
  ['ACTION=resched, TIME=1', 'resched is not supported.'],
  ['TIME=1', 'No ACTION in template for Scheduled Action.'],
  ['ACTION="", TIME=1', 'No ACTION in template for Scheduled Action.'],
  ['ACTION=hold', 'Unable to parse the time value or value is empty: '],
  ['ACTION=hold, TIME=soon', 'Unable to parse the time value or value is empty: soon'],
  ['ACTION=hold, TIME="1 "', 'Unable to parse the time value or value is empty: 1 '],
  ['ACTION=hold, TIME=-1', 'Unable to parse the time value or value is empty: -1'],
  ['ACTION=hold, TIME=99999999999999999999', 'Unable to parse the time value or value is empty: 99999999999999999999'],
  ['ACTION=hold, TIME=1, WARNING=x', 'Unable to parse the warning value: x'],
  ['ACTION=hold, TIME=1, REPEAT=4', 'Wrong REPEAT value: 4'],
  ['ACTION=hold, TIME=1, REPEAT=-2', 'Wrong REPEAT value: -2'],
  ['ACTION=hold, TIME=1, REPEAT=0', 'Repeat set, but DAYS are empty'],
  ['ACTION=hold, TIME=1, REPEAT=0, DAYS=","', 'Scheduled Action repeat set, but DAYS are empty'],
  ['ACTION=hold, TIME=1, REPEAT=0, DAYS="7"', 'Days in a week have to be in [0,6] range'],
  ['ACTION=hold, TIME=1, REPEAT=1, DAYS="0,1"', 'Days in a month have to be in [1,31] range'],
  ['ACTION=hold, TIME=1, REPEAT=2, DAYS="366"', 'Days in a year have to be in [0,365] range'],
  ['ACTION=hold, TIME=1, REPEAT=3, DAYS="168"', 'Hours have to be in [0,168] range'],
  ['ACTION=hold, TIME=1, REPEAT=3, DAYS="1,2"', 'Hours have to be in [0,168] range'],
  ['ACTION=hold, TIME=1, END_TYPE=3', 'Wrong END_TYPE value: 3'],
  ['ACTION=hold, TIME=1, END_TYPE=1, END_VALUE=-4', 'Error parsing END_VALUE, times has to be greater or equal to 0'],
  ['ACTION=hold, TIME=1, END_TYPE=2, END_VALUE=-1', 'Error parsing END_VALUE, wrong format for date.'],
  ['ACTION=hold, TIME=1, ARGS="a<b"', 'Error validating Scheduled Action XML.'],
];

describe('a SCHED_ACTION', () => {
  it.each(REFUSED)('[%s] is refused', (sched, why) => {
    const { cloud, vm } = at('PENDING');
    const text = `SCHED_ACTION=[${sched}]`;
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.schedadd', vm.id, text))).toBe(`ACTION [one.vm.schedadd] ${why}`);
    expect(vm.scheduled).toEqual([]);
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.allocate', `NAME=x ${text}`))).toBe(
      `INTERNAL [one.template.allocate] ${why}`,
    );
    const update = () => cloud.call(ADMIN_SESSION, 'one.template.update', 0, text, 1);
    expect(refusalOf(update)).toBe(`INTERNAL [one.template.update] Cannot update template. ${why}`);
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.instantiate', 0, 'y', false, text))).toBe(
      `INTERNAL [one.template.instantiate] ${why}`,
    );
    expect(cloud.vms.size).toBe(1);
  });

  it('that is refused in an update leaves what there was', () => {
    const scene = at('PENDING');
    const { cloud, vm } = scene;
    const id = add(scene, 'ACTION=hold, TIME="+60"');
    const before = structuredClone(vm.scheduled);
    const update = (text: string) => () => cloud.call(TESTER, 'one.vm.schedupdate', vm.id, id, text);
    expect(refusalOf(update('SCHED_ACTION=[ACTION=stop, REPEAT=9]'))).toBe(
      'INTERNAL [one.vm.schedupdate] Wrong REPEAT value: 9',
    );
    expect(refusalOf(update('A=B'))).toBe('INTERNAL [one.vm.schedupdate] No SCHED_ACTION attribute in template');
    expect(vm.scheduled).toEqual(before);
  });

  it('is refused when it is missing, for one that is not there, in DONE, and to who may not', () => {
    const { cloud, vm, act } = at('PENDING');
    const text = 'SCHED_ACTION=[ACTION=hold,TIME=1]';
    const refusals = () =>
      [
        () => cloud.call(TESTER, 'one.vm.schedadd', vm.id, 'A=B'),
        () => cloud.call(TESTER, 'one.vm.schedadd', vm.id, text),
        () => cloud.call(TESTER, 'one.vm.schedupdate', vm.id, 9, text),
        () => cloud.call(TESTER, 'one.vm.scheddelete', vm.id, 9),
        () => cloud.call(OTHER, 'one.vm.schedadd', vm.id, text),
        () => cloud.call(TESTER, 'one.vm.schedadd', 77, text),
      ].map(refusalOf);
    act('terminate');
    expect(refusals()).toEqual([
      "INTERNAL [one.vm.schedadd] Unable to create Scheduled Action for Virtual Machine 0, it's in DONE state",
      "INTERNAL [one.vm.schedadd] Unable to create Scheduled Action for Virtual Machine 0, it's in DONE state",
      "INTERNAL [one.vm.schedupdate] SCHED_ACTION with id = 9 doesn't exist",
      'NO_EXISTS [one.vm.scheddelete] Error getting scheduled action [9].',
      'AUTHORIZATION [one.vm.schedadd] User [3] : Not authorized to perform MANAGE VM [0].',
      'NO_EXISTS [one.vm.schedadd] Error getting virtual machine [77].',
    ]);
    const alive = at('PENDING');
    expect(refusalOf(() => alive.cloud.call(TESTER, 'one.vm.schedadd', 0, 'A=B'))).toBe(
      'ACTION [one.vm.schedadd] No SCHED_ACTION attribute in template',
    );
  });
});
