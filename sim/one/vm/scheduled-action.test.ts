/** Actions at a given time. */
import { describe, expect, it } from 'vitest';
import { furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { type Scene, sceneIn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);
const add = ({ cloud, vm }: Scene, text: string) =>
  cloud.call(TESTER, 'one.vm.schedadd', vm.id, `SCHED_ACTION=[${text}]`);

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

  it('that is refused says so', () => {
    const scene = at('PENDING');
    add(scene, 'ACTION=poweroff, TIME=1');
    add(scene, 'ACTION=fly, TIME=1');
    scene.cloud.clock.advanceNow(0);
    expect(scene.vm.scheduled.map(({ message }) => message)).toEqual([
      'Error performing action "poweroff": This action is not available for state PENDING',
      'Action "fly" is not supported',
    ]);
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

  it.each(['99999999999999999999', '9000000000000', '300000000000'])('may wait for ever: TIME=%s', (time) => {
    const scene = at('RUNNING');
    const { pending } = scene.cloud.clock;
    add(scene, `ACTION=poweroff, TIME=${time}`);
    expect(scene.cloud.clock.pending).toBe(pending);
    expect(scene.vm.scheduled[0]?.done).toBe(-1);
  });

  it('dies with the VM', () => {
    const scene = at('PENDING');
    add(scene, 'ACTION=hold, TIME="+60"');
    scene.act('terminate');
    scene.cloud.clock.advanceNow(100_000);
    expect(scene.vm.scheduled).toMatchObject([{ done: -1, message: '' }]);
  });

  it('is refused without a SCHED_ACTION, for one that is not there, and to who may not', () => {
    const { cloud, vm } = at('PENDING');
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.schedadd', vm.id, 'A=B'))).toBe(
      'ACTION [one.vm.schedadd] No SCHED_ACTION attribute in template',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.scheddelete', vm.id, 9))).toContain('Sched action 9');
    expect(refusalOf(() => cloud.call(OTHER, 'one.vm.schedadd', vm.id, 'SCHED_ACTION=[ACTION=hold,TIME=1]'))).toContain(
      'Not authorized to perform MANAGE VM [0]',
    );
  });
});
