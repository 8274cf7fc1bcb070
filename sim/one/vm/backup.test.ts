/** Backups and PCI devices, for which there is nothing in the cloud. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, refusalOf, TESTER } from '../testing.ts';
import { sceneIn } from './scene.ts';

const at = (state: string) => sceneIn(furnishedCloud(), state).cloud;

describe('a backup', () => {
  it('needs a datastore for backups', () => {
    const cloud = at('RUNNING');
    const refusals = [
      () => cloud.call(ADMIN_SESSION, 'one.vm.backup', 0),
      () => cloud.call(ADMIN_SESSION, 'one.vm.backup', 0, 1, true),
      () => cloud.call(ADMIN_SESSION, 'one.vm.backup', 0, 77),
      () => cloud.call(ADMIN_SESSION, 'one.vm.backup', 9, 1),
      () => cloud.call(ADMIN_SESSION, 'one.vm.backupcancel', 0),
      () => cloud.call(TESTER, 'one.vm.backupcancel', 0),
      () => cloud.call(ADMIN_SESSION, 'one.vm.restore', 0, 0, -1, -1),
      () => cloud.call(ADMIN_SESSION, 'one.vm.restore', 0, 0, -1, 9),
      () => cloud.call(ADMIN_SESSION, 'one.vm.restore', 0, 77, -1, -1),
      () => cloud.call(ADMIN_SESSION, 'one.image.restore', 0, 1, ''),
    ].map(refusalOf);
    expect(refusals).toEqual([
      'NO_EXISTS [one.vm.backup] Error getting datastore Pool.',
      'ACTION [one.vm.backup] Datastore needs to be of type BACKUP',
      'NO_EXISTS [one.vm.backup] Error getting datastore [77].',
      'NO_EXISTS [one.vm.backup] Error getting virtual machine [9].',
      'INTERNAL [one.vm.backupcancel] Could not cancel backup for VM 0, no backup in progress',
      'AUTHORIZATION [one.vm.backupcancel] User [2] : Not authorized to perform ADMIN VM [0].',
      'ACTION [one.vm.restore] Image has to be of type BACKUP',
      'ACTION [one.vm.restore] VM disk does not exist',
      'NO_EXISTS [one.vm.restore] Error getting image [77].',
      'ACTION [one.image.restore] Can only restore images of type BACKUP',
    ]);
  });

  it('that is scheduled says so', () => {
    const cloud = at('RUNNING');
    cloud.call(TESTER, 'one.vm.schedadd', 0, 'SCHED_ACTION=[ACTION=backup, ARGS="1", TIME=1]');
    cloud.clock.advanceNow(0);
    expect(cloud.vms.get(0).scheduled[0]?.message).toMatch(/ : \[backup\] Datastore needs to be of type BACKUP$/);
  });
});

describe('a PCI device', () => {
  it.each([
    ['RUNNING', 'PCI=[VENDOR=10de]', 'VM in wrong state, it has to be in poweroff'],
    ['POWEROFF', 'PCI=[VENDOR=10de]', 'Cannot assign PCI device in host. Check address and free devices'],
    ['POWEROFF', 'A=B', 'PCI attribute not found'],
    ['POWEROFF', 'PCI=[TYPE=NIC, VENDOR=1]', 'Use one.vm.attachnic to attach this PCI device'],
    ['POWEROFF', 'PCI=[A=B]', 'SHORT_ADDRESS, DEVICE, VENDOR or CLASS must be defined for PCI.'],
    ['POWEROFF', 'PCI=[VENDOR=xyz]', 'Wrong Hex value for PCI attribute VENDOR'],
    ['POWEROFF', 'PCI=[VENDOR=1, SHORT_ADDRESS="00:01.0"]', 'SHORT_ADDRESS cannot be set with DEVICE, VENDOR or CLASS'],
  ])('is not attached in %s: %s', (state, text, why) => {
    const cloud = at(state);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.attachpci', 0, text))).toBe(
      `ACTION [one.vm.attachpci] ${why}`,
    );
  });

  it('is not for everybody, and cannot be detached where there is none', () => {
    const cloud = at('POWEROFF');
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.attachpci', 0, 'PCI=[VENDOR=1]'))).toBe(
      'AUTHORIZATION [one.vm.attachpci] User [2] : PCI includes a restricted attribute PCI.',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.detachpci', 0, 0))).toBe(
      'ACTION [one.vm.detachpci] PCI device not found',
    );
  });
});
