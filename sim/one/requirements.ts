/** The requirements oned adds to every VM: AUTOMATIC_REQUIREMENTS and its cousins. Mirrors `VirtualMachine::automatic_requirements`. */
import type { Vm } from './vm.ts';

/** The scheduler joins these with the VM's own SCHED_REQUIREMENTS. */
export const automaticRequirements = (vm: Vm): string =>
  vm.disks.length + vm.nics.length === 0
    ? '!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)'
    : '(CLUSTER_ID = 0) & !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)';

/** The same for datastores and networks; empty when the VM has nothing to place there. */
export const automaticClusters = (vm: Vm): string =>
  vm.disks.length + vm.nics.length === 0 ? '' : '("CLUSTERS/ID" @> 0)';
