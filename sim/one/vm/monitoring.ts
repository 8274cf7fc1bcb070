/** What a host's probes say of a VM, and what oned makes of it. Mirrors `LifeCycleManager::trigger_monitor_*` of OpenNebula 6.10. */
import type { Cloud } from '../cloud.ts';
import { type STEPS, type State, stepOf } from './lifecycle.ts';
import { currentPlacement, mark, turnPage } from './placement.ts';
import type { Vm } from './vm.ts';

export type Report = 'RUNNING' | 'POWEROFF' | 'SUSPENDED' | 'FAILURE';

/** A VM seen running this soon after it was stopped is taken for an old report. */
const STALE_SECONDS = 30;

const BOOT_FAILURES: ReadonlySet<State> = new Set<State>([
  'BOOT_FAILURE',
  'BOOT_MIGRATE_FAILURE',
  'BOOT_STOPPED_FAILURE',
  'BOOT_UNDEPLOY_FAILURE',
]);

/** A host's probe reports a VM's state; whatever oned does not expect, it ignores. */
export function report(cloud: Cloud, vm: Vm, seen: Report): void {
  const { driver } = cloud;
  const booting = stepOf(vm.state)?.ok === 'RUNNING' && vm.state.startsWith('BOOT');
  switch (seen) {
    case 'RUNNING':
      if (vm.state === 'POWEROFF' || vm.state === 'SUSPENDED') {
        if (cloud.seconds - (currentPlacement(vm)?.retime ?? 0) < STALE_SECONDS) return;
        turnPage(cloud, vm);
        mark(cloud, vm, 'monitor');
        driver.enter(vm, 'RUNNING');
      } else if (vm.state === 'UNKNOWN') driver.enter(vm, 'RUNNING');
      else if (booting) driver.finish(vm, true);
      else if (BOOT_FAILURES.has(vm.state)) driver.decide(vm, true);
      return;
    case 'POWEROFF':
      if (vm.state.startsWith('SHUTDOWN')) driver.finish(vm, true);
      else if (vm.state === 'RUNNING' || vm.state === 'UNKNOWN') pass(cloud, vm, 'SHUTDOWN_POWEROFF');
      return;
    case 'SUSPENDED':
      if (vm.state === 'RUNNING' || vm.state === 'UNKNOWN') pass(cloud, vm, 'SAVE_SUSPEND');
      return;
    case 'FAILURE':
      if (vm.state === 'RUNNING') driver.lose(vm);
      return;
    default:
      seen satisfies never;
  }
}

/** Has found out that a step has come to its end without oned. */
function pass(cloud: Cloud, vm: Vm, step: keyof typeof STEPS): void {
  vm.resched = false;
  mark(cloud, vm, 'monitor');
  cloud.driver.pass(vm, step);
}
