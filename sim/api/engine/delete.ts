/** The deletion of a runtime: its service first, by force if it must be, then its document. Mirrors `ServerlessRuntime#delete`. */
import { nodeIds } from '../../one/flow/service.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { type Declined, granted, type OpenNebula, titled } from './opennebula.ts';
import { refusal } from './refusal.ts';
import { type Engine, FUNCTIONS, idOf, type Runtime, VM_TITLE, vmIdOf } from './runtime.ts';

/** @throws Refusal, Crash */
export async function remove(engine: Engine, runtime: Runtime): Promise<void> {
  const { one, deviations } = engine;
  if (!deviations.has('delete-never-423')) refuseWhileUpdating(runtime);
  const serviceId = idOf(runtime.body.get('SERVICE_ID'));
  // OneFlow forgets the VMs of a service that it is still deploying, and waits for ever for one that ends meanwhile.
  const endRest = (): void => {
    if (deviations.has('delete-leaks-vm')) return;
    endVms(
      one,
      runtime.document.uid,
      FUNCTIONS.map((name) => vmIdOf(runtime, name) ?? -1),
    );
  };
  const declined = granted(() => one.flow((flow, caller) => flow.delete(caller, serviceId)));
  if (declined !== null && declined.status !== 404) {
    endRest();
    const left = await destroyService(engine, serviceId);
    if (left !== null) {
      throw refusal(500, `Failed to delete Serverless Runtime Service ${serviceId}`, declined.message + left.message);
    }
  }
  endRest();
  titled('Failed to delete Serverless Runtime Document', () => one.oned('one.document.delete', runtime.document.id));
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
  for (const name of FUNCTIONS) {
    const fields = body.get(name);
    if (!(fields instanceof Map) || fields.get('STATE') !== 'UPDATING') continue;
    throw refusal(423, `Cannot delete ${VM_TITLE} ${name} on a transient state`, 'UPDATING');
  }
}

/** What a VM goes through that has been told to end. */
const ENDING: readonly Vm['state'][] = ['SHUTDOWN', 'EPILOG', 'CLEANUP_DELETE', 'DONE'];

/** Ends an owner's VMs that nobody else ends, whatever they are doing. */
function endVms(one: OpenNebula, ownerId: number, ids: readonly number[]): void {
  const DELETE = 3;
  for (const id of ids) {
    const vm = one.cloud.vms.find(id);
    if (vm !== undefined && !ENDING.includes(vm.state)) one.recoverFor(ownerId, id, DELETE);
  }
}

/** Ends a service that nobody will ask for, and the VMs that it has. */
export async function abandonService(engine: Engine, id: number): Promise<void> {
  const { one } = engine;
  granted(() => {
    const { uid, body } = one.flow((flow, caller) => flow.info(caller, id));
    endVms(one, uid, body.roles.flatMap(nodeIds));
  });
  await destroyService(engine, id);
}
