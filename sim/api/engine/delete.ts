/** The deletion of a runtime: its service first, by force if it must be, then its document. Mirrors `ServerlessRuntime#delete`. */
import { nodeIds } from '../../one/service.ts';
import type { Vm } from '../../one/vm.ts';
import { type Declined, granted, type OpenNebula, titled } from './opennebula.ts';
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
  if (!deviations.has('delete-leaks-vm')) endVms(one, vmsOf(runtime));
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
  for (const [name, fields] of functions(body)) {
    if (fields.get('STATE') !== 'UPDATING') continue;
    throw refusal(423, `Cannot delete ${VM_TITLE} ${name} on a transient state`, 'UPDATING');
  }
}

/** What a VM goes through that has been told to end. */
const ENDING: readonly Vm['state'][] = ['SHUTDOWN', 'EPILOG', 'CLEANUP_DELETE', 'DONE'];

/** The VMs of a runtime. The id in a body may be one that a client has put there: only the owner's own count. */
function vmsOf({ document, body }: Runtime): number[] {
  const ids = functions(body).map(([, fields]) => Number(fields.get('VM_ID') ?? -1));
  return ids.filter((id) => isOwn(document, id));
}

/** Ends VMs that nobody else ends, whatever they are doing: that is for the cloud's administrator. */
function endVms(one: OpenNebula, ids: readonly number[]): void {
  for (const id of ids) {
    const vm = one.cloud.vms.find(id);
    if (vm !== undefined && !ENDING.includes(vm.state)) one.asRoot('one.vm.recover', id, 3);
  }
}

/** Ends a service that nobody will ask for, and the VMs that it has. */
export async function abandonService(engine: Engine, id: number): Promise<void> {
  const { one } = engine;
  granted(() => {
    const { roles } = one.flow((flow, caller) => flow.info(caller, id)).body;
    endVms(
      one,
      roles.flatMap((role) => nodeIds(role)),
    );
  });
  await destroyService(engine, id);
}

/** The functions that a body has, in their order. */
export const functions = (body: ReadonlyMap<string, Value>): [name: string, fields: Map<string, Value>][] =>
  FUNCTIONS.flatMap((name) => {
    const fields = body.get(name);
    return fields instanceof Map ? [[name, fields]] : [];
  });
