/** Limits of a NIC that exists. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { nicAttributes } from './nic.ts';
import { ROADS, type Scene, sceneIn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);
const update = ({ cloud, vm }: Scene, text: string, append = 0, session = ADMIN_SESSION) =>
  cloud.call(session, 'one.vm.updatenic', vm.id, 0, text, append);
const settle = ({ cloud }: Scene): void => void cloud.clock.advanceNow(10_000);

/** The limits of NIC 0 as they are shown. */
function limits({ cloud, vm }: Scene): Record<string, string> {
  const [nic] = vm.nics;
  if (nic === undefined) throw new Error('no NIC');
  return Object.fromEntries(nicAttributes(cloud, vm, nic).filter(([name]) => /BOUND/.test(name)));
}

describe('updatenic', () => {
  it('of a running VM goes through HOTPLUG_NIC, with a history record, and shows meanwhile what was', () => {
    const scene = at('RUNNING');
    const { vm } = scene;
    expect(update(scene, 'NIC=[INBOUND_AVG_BW=100, OUTBOUND_PEAK_KB=8]')).toBe(0);
    expect(vm.state).toBe('HOTPLUG_NIC');
    expect([...(vm.template.vector('VNET_UPDATE') ?? [])]).toEqual([
      ['INBOUND_AVG_BW', ''],
      ['OUTBOUND_PEAK_KB', ''],
    ]);
    expect(limits(scene)).toEqual({ INBOUND_AVG_BW: '100', OUTBOUND_PEAK_KB: '8' });
    settle(scene);
    expect([vm.state, vm.template.has('VNET_UPDATE')]).toEqual(['RUNNING', false]);
    expect(vm.history.map(({ action, uid }) => [action, uid])).toEqual([
      [51, 0],
      [0, -1],
    ]);
    update(scene, 'NIC=[INBOUND_AVG_BW=200]', 1);
    expect([...(vm.template.vector('VNET_UPDATE') ?? [])]).toEqual([['INBOUND_AVG_BW', '100']]);
    expect(limits(scene)).toEqual({ INBOUND_AVG_BW: '200', OUTBOUND_PEAK_KB: '8' });
    settle(scene);
    update(scene, 'NIC=[INBOUND_AVG_BW=200]');
    expect(limits(scene)).toEqual({ INBOUND_AVG_BW: '200' });
  });

  it('that changes no limit changes nothing', () => {
    const scene = at('RUNNING');
    const before = nicAttributes(scene.cloud, scene.vm, scene.vm.nics[0] as never);
    update(scene, 'NIC=[NETWORK_ID=0, MODEL=virtio, IP="1.2.3.4"]');
    expect(scene.vm.state).toBe('RUNNING');
    expect(scene.vm.history).toHaveLength(1);
    expect(nicAttributes(scene.cloud, scene.vm, scene.vm.nics[0] as never)).toEqual(before);
  });

  it.each(['PENDING', 'HOLD', 'POWEROFF', 'SUSPENDED', 'STOPPED', 'UNDEPLOYED', 'DONE'])('in %s is stored', (state) => {
    const scene = at(state);
    update(scene, 'NIC=[INBOUND_AVG_BW=100]');
    expect([scene.vm.state, limits(scene)]).toEqual([state, { INBOUND_AVG_BW: '100' }]);
  });

  it.each(Object.keys(ROADS).filter((state) => /BOOT|PROLOG|EPILOG|SHUTDOWN|SAVE|HOTPLUG|UNKNOWN/.test(state)))(
    'in %s is refused',
    (state) => {
      const scene = at(state);
      expect(refusalOf(() => update(scene, 'NIC=[INBOUND_AVG_BW=100]'))).toBe(
        `ACTION [one.vm.updatenic] Error updating NIC (0) for VM 0: Wrong state ${state}`,
      );
    },
  );

  it('takes from a NIC what its network says', () => {
    const cloud = furnishedCloud();
    cloud.call(ADMIN_SESSION, 'one.vn.update', 0, 'INBOUND_AVG_BW=50', 1);
    const scene = sceneIn(cloud, 'PENDING');
    expect(limits(scene)).toEqual({ INBOUND_AVG_BW: '50' });
    update(scene, 'NIC=[OUTBOUND_AVG_BW=1]');
    expect(limits(scene)).toEqual({ OUTBOUND_AVG_BW: '1' });
  });

  it('keeps the new limits when the driver fails, and what was before them', () => {
    const scene = at('RUNNING');
    update(scene, 'NIC=[INBOUND_AVG_BW=100]');
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, 0);
    expect([scene.vm.state, limits(scene)]).toEqual(['RUNNING', { INBOUND_AVG_BW: '100' }]);
    expect(scene.vm.nics).toHaveLength(1);
    expect(scene.vm.template.has('VNET_UPDATE')).toBe(true);
  });

  it('is refused without a NIC, for one that is not there, for an alias, and to who may not', () => {
    const scene = at('RUNNING');
    const { cloud, vm } = scene;
    cloud.call(TESTER, 'one.vm.attachnic', vm.id, 'NIC_ALIAS=[NETWORK_ID=0, PARENT=NIC0]');
    settle(scene);
    const nic = 'NIC=[INBOUND_AVG_BW=1]';
    expect(
      [
        () => update(scene, 'A=B'),
        () => update(scene, 'NIC=['),
        () => cloud.call(ADMIN_SESSION, 'one.vm.updatenic', vm.id, 9, nic),
        () => cloud.call(ADMIN_SESSION, 'one.vm.updatenic', vm.id, 1, nic),
        () => cloud.call(ADMIN_SESSION, 'one.vm.updatenic', 77, 0, nic),
        () => update(scene, nic, 0, TESTER),
        () => update(scene, 'NIC=[MODEL=e1000]', 0, OTHER),
      ].map((act) => refusalOf(act).replace(/at line.*/, '…')),
    ).toEqual([
      'ACTION [one.vm.updatenic] Error updating NIC (0) for VM 0: Wrong NIC definition, attribute is missing',
      expect.stringMatching(/^INTERNAL \[one\.vm\.updatenic\] Parse error: syntax error/),
      'ACTION [one.vm.updatenic] VM 0: NIC 9 does not exists',
      'ACTION [one.vm.updatenic] Action not supported for NIC_ALIAS',
      'NO_EXISTS [one.vm.updatenic] Error getting virtual machine [77].',
      'AUTHORIZATION [one.vm.updatenic] User [2] : NIC includes a restricted attribute INBOUND_AVG_BW.',
      'AUTHORIZATION [one.vm.updatenic] User [3] : Not authorized to perform MANAGE VM [0].',
    ]);
  });
});

describe('what is attached', () => {
  it('has no restricted attributes, unless an administrator says so', () => {
    const { cloud, vm } = at('RUNNING');
    const refusals = [
      () => cloud.call(TESTER, 'one.vm.attachnic', vm.id, 'NIC=[NETWORK_ID=0, MAC="02:00:0a:00:00:33"]'),
      () => cloud.call(TESTER, 'one.vm.attach', vm.id, 'DISK=[IMAGE_ID=0, TOTAL_BYTES_SEC=5]'),
    ].map(refusalOf);
    expect(refusals).toEqual([
      'AUTHORIZATION [one.vm.attachnic] User [2] : NIC includes a restricted attribute MAC.',
      'AUTHORIZATION [one.vm.attach] User [2] : DISK includes a restricted attribute TOTAL_BYTES_SEC.',
    ]);
    cloud.call(ADMIN_SESSION, 'one.vm.attachnic', vm.id, 'NIC=[NETWORK_ID=0, MAC="02:00:0a:00:00:33"]');
    expect(vm.nics[1]?.mac).toBe('02:00:0a:00:00:33');
  });

  it('has to be the caller’s to use', () => {
    const { cloud, vm } = at('RUNNING');
    cloud.call(ADMIN_SESSION, 'one.image.chmod', 0, 1, 1, 0, 0, 0, 0, 0, 0, 0);
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.attach', vm.id, 'DISK=[IMAGE_ID=0]'))).toBe(
      'AUTHORIZATION [one.vm.attach] User [2] : Not authorized to perform USE IMAGE [0].',
    );
    expect(vm.disks).toHaveLength(1);
  });
});
