import { describe, expect, it } from 'vitest';
import { createSimulator, furnishing } from '../../index.ts';
import { Template } from '../../one/syntax/syntax.ts';
import type { State } from '../../one/vm/lifecycle.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { functionState } from './state.ts';

const furnish = await furnishing('recorded');

function vmIn(state: State, parts: Partial<Vm> = {}): Vm {
  const { cloud } = createSimulator({ furnish }).world;
  const id = cloud.run(cloud.root, 'one.template.instantiate', 0, '', false, '');
  return Object.assign(cloud.vms.get(id), { state, ...parts });
}

describe('functionState', () => {
  it.each<[string, State[]]>([
    ['PENDING', ['PENDING', 'HOLD', 'POWEROFF', 'SUSPENDED', 'STOPPED', 'UNDEPLOYED', 'DONE', 'CLONING_FAILURE']],
    ['PENDING', ['PROLOG', 'BOOT', 'BOOT_UNKNOWN', 'BOOT_POWEROFF', 'PROLOG_UNDEPLOY', 'CLEANUP_RESUBMIT']],
    ['RUNNING', ['RUNNING']],
    ['ERROR', ['UNKNOWN', 'BOOT_FAILURE', 'PROLOG_FAILURE', 'PROLOG_RESUME_FAILURE', 'PROLOG_MIGRATE_UNKNOWN']],
    ['UPDATING', ['HOTPLUG_RESIZE', 'DISK_RESIZE', 'SHUTDOWN', 'EPILOG_FAILURE', 'PROLOG_RESUME', 'BOOT_MIGRATE']],
  ])('%s is %j', (state, lcmStates) => {
    for (const lcmState of lcmStates) expect(functionState(vmIn(lcmState)), lcmState).toBe(state);
  });

  it('waits for a guest that is to say when it is ready', () => {
    const context = new Map([['REPORT_READY', 'YES']]);
    expect(functionState(vmIn('RUNNING', { context }))).toBe('PENDING');
    expect(functionState(vmIn('RUNNING', { context, userTemplate: Template.parse('READY=NO') }))).toBe('PENDING');
    expect(functionState(vmIn('RUNNING', { context, userTemplate: Template.parse('READY=YES') }))).toBe('RUNNING');
    expect(functionState(vmIn('HOTPLUG_RESIZE', { context }))).toBe('UPDATING');
  });
});
