/** The deletion of a runtime: its service first, by force if it must be, then its document. Mirrors `ServerlessRuntime#delete`. */
import type { Vm } from '../../one/vm.ts';
import { type Declined, granted, titled } from './opennebula.ts';
import { refusal } from './refusal.ts';
import type { Value } from './ruby-json.ts';
import { type Engine, FUNCTIONS, idOf, type Runtime, VM_TITLE } from './runtime.ts';

/** @throws Refusal, Crash */
export async function remove(engine: Engine, runtime: Runtime): Promise<void> {
  const { one, deviations } = engine;
  if (!deviations.has('delete-never-423')) refuseWhileUpdating(runtime);
  const serviceId = idOf(runtime.body.get('SERVICE_ID'));
  const declined = granted(() => one.flow((flow, caller) => flow.delete(caller, serviceId)));
  if (declined !== null && declined.status !== 404) {
    const left = await destroyService(engine, serviceId);
    if (left !== null) {
      throw refusal(500, `Failed to delete Serverless Runtime Service ${serviceId}`, declined.message + left.message);
    }
  }
  if (!deviations.has('delete-leaks-vm')) endVms(engine, runtime);
  titled('Failed to delete Serverless Runtime Document', () => one.oned('one.document.delete', runtime.id));
}

/** Recovers a service with delete, once more after a second. Says why when both are declined. */
export async function destroyService({ one }: Engine, id: number): Promise<Declined | null> {
  const attempt = (): Declined | null =>
    granted(() => one.flow((flow, caller) => flow.recover(caller, id, { delete: true })));
  if (attempt() === null) return null;
  await one.cloud.clock.sleep(1000, `second attempt to destroy service ${id}`);
  return attempt();
}

function refuseWhileUpdating({ body }: Runtime): void {
  for (const [name, fields] of functions(body)) {
    if (fields.get('STATE') !== 'UPDATING') continue;
    throw refusal(423, `Cannot delete ${VM_TITLE} ${name} on a transient state`, 'UPDATING');
  }
}

/** What a VM goes through that has been told to end. */
const ENDING: readonly Vm['state'][] = ['SHUTDOWN', 'EPILOG', 'CLEANUP_DELETE', 'DONE'];

/** Ends the VMs that the end of their service has left behind. The cloud's administrator may do that in any state. */
function endVms({ one: { cloud } }: Engine, { body }: Runtime): void {
  for (const [, fields] of functions(body)) {
    const vmId = fields.get('VM_ID');
    const vm = typeof vmId === 'bigint' ? cloud.vms.find(Number(vmId)) : undefined;
    if (vm !== undefined && !ENDING.includes(vm.state)) cloud.run(cloud.root, 'one.vm.recover', vm.id, 3);
  }
}

/** The functions that a body has, in their order. */
export const functions = (body: ReadonlyMap<string, Value>): [name: string, fields: Map<string, Value>][] =>
  FUNCTIONS.flatMap((name) => {
    const fields = body.get(name);
    return fields instanceof Map ? [[name, fields]] : [];
  });
