/** Where VMs are, and the history that tells it: as the recordings of a real oned have it. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, TESTER } from '../testing.ts';
import { misfit } from './placement.ts';
import { type Scene, sceneIn } from './scene.ts';
import type { Placement } from './vm.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);

/** The parts of the records that say what was done, and which times are set. */
const told = ({ vm }: Scene): string[] => vm.history.map(text);

function text(record: Placement): string {
  const times = ['etime', 'pstime', 'petime', 'rstime', 'retime', 'estime', 'eetime'] as const;
  const set = times.filter((time) => record[time] > 0).join(' ');
  return `${record.seq} host ${record.hostId} by ${record.uid}/${record.gid} action ${record.action}: ${set}`;
}

const RUN = 'pstime petime rstime';

describe('a history record', () => {
  it.each([
    ['PENDING', []],
    ['PROLOG', ['0 host 0 by -1/-1 action 0: pstime']],
    ['PROLOG_FAILURE', ['0 host 0 by -1/-1 action 0: pstime']],
    ['BOOT', [`0 host 0 by -1/-1 action 0: ${RUN}`]],
    ['BOOT_FAILURE', [`0 host 0 by -1/-1 action 0: ${RUN} retime`]],
    ['RUNNING', [`0 host 0 by -1/-1 action 0: ${RUN}`]],
    ['UNKNOWN', [`0 host 0 by -1/-1 action 0: ${RUN}`]],
    ['SAVE_STOP', [`0 host 0 by 2/1 action 9: ${RUN}`]],
    ['SHUTDOWN_UNDEPLOY', [`0 host 0 by 2/1 action 5: ${RUN}`]],
    ['POWEROFF', [`0 host 0 by 2/1 action 19: ${RUN} retime`]],
    ['SUSPENDED', [`0 host 0 by 2/1 action 10: ${RUN} retime`]],
    ['STOPPED', [`0 host 0 by 2/1 action 9: etime ${RUN} retime estime eetime`]],
    ['UNDEPLOYED', [`0 host 0 by 2/1 action 5: etime ${RUN} retime estime eetime`]],
    ['EPILOG', [`0 host 0 by 2/1 action 28: ${RUN} retime estime`]],
    ['EPILOG_FAILURE', [`0 host 0 by 2/1 action 28: ${RUN} retime estime`]],
    ['BOOT_POWEROFF', [`0 host 0 by 2/1 action 19: etime ${RUN} retime`, '1 host 0 by 2/1 action 11: rstime']],
    ['BOOT_SUSPENDED', [`0 host 0 by 2/1 action 10: etime ${RUN} retime`, '1 host 0 by 2/1 action 11: rstime']],
    ['HOTPLUG_RESIZE', [`0 host 0 by 2/1 action 35: etime ${RUN} retime`, '1 host 0 by -1/-1 action 0: rstime']],
    ['DISK_RESIZE', [`0 host 0 by 2/1 action 29: etime ${RUN} retime`, '1 host 0 by -1/-1 action 0: rstime']],
    [
      'PROLOG_RESUME',
      [`0 host 0 by 2/1 action 9: etime ${RUN} retime estime eetime`, '1 host 0 by -1/-1 action 0: pstime'],
    ],
    [
      'BOOT_STOPPED_FAILURE',
      [
        `0 host 0 by 2/1 action 9: etime ${RUN} retime estime eetime`,
        `1 host 0 by -1/-1 action 0: etime ${RUN} retime`,
      ],
    ],
    [
      'BOOT_UNDEPLOY_FAILURE',
      [
        `0 host 0 by 2/1 action 5: etime ${RUN} retime estime eetime`,
        `1 host 0 by -1/-1 action 0: etime ${RUN} retime`,
      ],
    ],
  ])('of a VM in %s is as recorded', (state, records) => {
    expect(told(at(state))).toEqual(records);
  });

  it('that a VM could not be brought back on is open again when it could', () => {
    const scene = at('BOOT_STOPPED_FAILURE');
    expect([...scene.cloud.hosts.get(0).vms]).toEqual([scene.vm.id]);
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, 2);
    scene.until('RUNNING');
    expect(scene.vm.history.at(-1)).toMatchObject({ etime: 0, retime: 0 });
  });

  it.each([
    ['attach', 21, ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.attach', vm.id, 'DISK=[IMAGE_ID=0]')],
    ['detach', 22, ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.detach', vm.id, 0)],
    ['attachnic', 23, ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.attachnic', vm.id, 'NIC=[NETWORK_ID=0]')],
    ['detachnic', 24, ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.detachnic', vm.id, 0)],
    ['disk snapshot', 25, ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.disksnapshotcreate', vm.id, 0, 's')],
    ['resize to what it is', 35, ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.resize', vm.id, '', true)],
  ])('is ended by %s, which opens the next', (_, action, call) => {
    const scene = at('RUNNING');
    scene.cloud.clock.advanceNow(5000);
    call(scene);
    const [first, second] = scene.vm.history;
    expect(first).toMatchObject({ action, uid: 2, gid: 1, etime: scene.cloud.seconds, retime: scene.cloud.seconds });
    expect(second).toMatchObject({ seq: 1, action: 0, uid: -1, stime: scene.cloud.seconds, etime: 0 });
  });

  it('names the request that the call came with', () => {
    const scene = at('RUNNING');
    const request = scene.cloud.journal.append('request', 'PUT /x');
    scene.cloud.clock.because(request, () => scene.act('poweroff'));
    expect(scene.vm.history[0]?.requestId).toBe(request);
  });
});

describe('capacity', () => {
  it.each([
    ['PROLOG', 10],
    ['RUNNING', 10],
    ['POWEROFF', 10],
    ['SUSPENDED', 10],
    ['STOPPED', 0],
    ['UNDEPLOYED', 0],
    ['EPILOG', 10],
    ['EPILOG_FAILURE', 10],
  ])('of a host that a VM in %s takes is %i', (state, cpu) => {
    expect(at(state).cloud.hosts.get(0).usedCpu).toBe(cpu);
  });

  it('is what RESERVED_CPU and RESERVED_MEM leave, absolute or in percent, of the host before the cluster', () => {
    const cloud = furnishedCloud();
    const host = cloud.hosts.get(0);
    const fits = (cpu: number): string | undefined => misfit(cloud, host, { cpu, memoryMiB: 1 });
    expect([fits(8), fits(8.01)]).toEqual([undefined, 'Not enough CPU: 801/800']);
    cloud.call(ADMIN_SESSION, 'one.cluster.update', 0, 'RESERVED_CPU=50% RESERVED_MEM=0', 0);
    expect(fits(5)).toBe('Not enough CPU: 500/400');
    cloud.call(ADMIN_SESSION, 'one.host.update', 0, 'RESERVED_CPU=-200', 1);
    expect([fits(10), fits(11)]).toEqual([undefined, 'Not enough CPU: 1100/1000']);
  });

  it('of a host that is offline is nothing, though what is taken stays taken', () => {
    const { cloud } = at('RUNNING');
    const host = cloud.hosts.get(0);
    cloud.call(ADMIN_SESSION, 'one.host.status', 0, 2);
    expect(misfit(cloud, host, { cpu: 0.1, memoryMiB: 1 })).toBe('Not enough CPU: 10/-10');
    expect(host.usedCpu).toBe(10);
    cloud.call(ADMIN_SESSION, 'one.host.status', 0, 0);
    expect(misfit(cloud, host, { cpu: 0.1, memoryMiB: 1 })).toBeUndefined();
  });
});
