/** The update of a runtime: its name, the capacity and disk of its VMs, and where they are to run. Mirrors `ServerlessRuntime#update_sr`. */
import type { Vm } from '../../one/vm/vm.ts';
import type { Hash, Value } from '../ruby-json.ts';
import { toText } from '../ruby-text.ts';
import { userTemplate } from './extra-template.ts';
import { granted, orCrash, titled } from './opennebula.ts';
import { refusal } from './refusal.ts';
import {
  diskSize,
  type Engine,
  FUNCTIONS,
  type FunctionName,
  type Runtime,
  store,
  stored,
  synchronise,
  VM_TITLE,
  vmIdOf,
} from './runtime.ts';
import { type FunctionState, functionState } from './state.ts';
import { validated } from './validate.ts';

/** @throws Refusal, Crash */
export async function update(engine: Engine, runtime: Runtime, specification: Value): Promise<void> {
  const { one, deviations } = engine;
  const wanted = validated(engine, specification);
  const nameFirst = deviations.has('rename-before-423');
  if (nameFirst) rename(engine, runtime, wanted);
  for (const name of FUNCTIONS) await updateFunction(engine, runtime, name, wanted);
  if (!nameFirst) rename(engine, runtime, wanted);
  const body = await synchronise(engine, runtime.body);
  // From here on nobody comes between.
  const before = deviations.has('put-writes-what-it-read') ? body : stored(one, runtime);
  runtime.body = KEPT.reduce((whole, key) => {
    const value = wanted.get(key) ?? before.get(key);
    return value === undefined || value === whole.get(key) ? whole : whole.with([key, value]);
  }, body);
  store(one, runtime);
}

/** What stays in the document as it was given. */
const KEPT = ['SCHEDULING', 'DEVICE_INFO'] as const;

function rename({ one, deviations }: Engine, runtime: Runtime, wanted: Hash): void {
  const name = wanted.get('NAME');
  if (typeof name !== 'string' || name === runtime.name) return;
  orCrash(() => one.oned('one.document.rename', runtime.document.id, name));
  if (!deviations.has('rename-shows-late')) runtime.name = name;
}

/** A function that the body leaves out, or that has no VM, stays as it is. */
async function updateFunction(engine: Engine, runtime: Runtime, name: FunctionName, wanted: Hash): Promise<void> {
  const { one } = engine;
  const change = wanted.get(name);
  const vmId = vmIdOf(runtime, name);
  if (!(change instanceof Map) || vmId === undefined) return;
  const vm = titled(`Failed to read ${VM_TITLE} ${name}`, () => one.oned('one.vm.info', vmId));
  const state = functionState(vm);
  if (state === 'PENDING' || state === 'UPDATING') {
    throw refusal(423, `Cannot update ${VM_TITLE} ${name} on a transient state`, state);
  }
  if (state === 'ERROR') throw recovered(engine, runtime, name, vmId);
  resizeCapacity(engine, vm, change);
  await untilRunning(engine, name, vm);
  resizeDisk(engine, vm, change);
  await untilRunning(engine, name, vm);
  const text = userTemplate(wanted);
  if (text !== '') titled(`Failed to update ${VM_TITLE} ${text}`, () => one.oned('one.vm.update', vmId, text, 1));
  // Only the flag: where to is the scheduler's business, and whether the user may set it is not looked at.
  granted(() => one.oned('one.vm.action', 'resched', vmId));
}

/** Has the step that failed tried again; what oned says to that is not looked at. */
function recovered({ one, deviations }: Engine, { document }: Runtime, name: string, vmId: number): Error {
  const RETRY = 2;
  if (deviations.has('put-error-owner-not-recovered')) granted(() => one.oned('one.vm.recover', vmId, RETRY));
  else one.recoverFor(document.uid, vmId, RETRY);
  const message = deviations.has('put-error-null-message') ? null : 'ERROR';
  return refusal(500, `Cannot update ${VM_TITLE} ${name} on an error state. A recovery was attempted`, message);
}

/** What is not given is sent as empty, and refused by oned's parser. */
function resizeCapacity({ one }: Engine, vm: Vm, change: Hash): void {
  const present = { MEMORY: vm.memoryMiB, VCPU: vm.vcpu ?? 0, CPU: vm.cpu };
  const wanted = {
    MEMORY: change.get('MEMORY'),
    VCPU: change.get('CPU'),
    CPU: change.get('CPU'),
  };
  const lines = (['MEMORY', 'VCPU', 'CPU'] as const)
    .filter((key) => !same(wanted[key], present[key]))
    .map((key) => `${key}=${toText(wanted[key] ?? null)}`);
  if (lines.length === 0) return;
  titled(`Failed to resize ${VM_TITLE} capacity`, () => one.oned('one.vm.resize', vm.id, lines.join('\n'), true));
}

function resizeDisk({ one }: Engine, vm: Vm, change: Hash): void {
  const size = change.get('DISK_SIZE');
  if (same(size, diskSize(vm))) return;
  titled(`Failed to resize ${VM_TITLE} disk`, () => one.oned('one.vm.diskresize', vm.id, 0, toText(size ?? null)));
}

const same = (wanted: Value | undefined, present: number): boolean =>
  typeof wanted === 'bigint' && Number.isInteger(present) && wanted === BigInt(present);

/** Looks at the VM once a second until it runs again. What oned does not tell stays as it was. */
async function untilRunning({ one, config }: Engine, name: string, { id }: Vm): Promise<void> {
  let state: FunctionState = 'RUNNING';
  for (let turn = 1; turn <= config.timeout; turn++) {
    granted(() => {
      state = functionState(one.oned('one.vm.info', id));
    });
    if (turn === config.timeout) throw refusal(504, `${VM_TITLE} ${name} stuck while updating capabilities`, state);
    if (state === 'RUNNING') return;
    if (state !== 'UPDATING') throw refusal(500, `${VM_TITLE} ${name} entered unexpected state`, state);
    await one.cloud.clock.sleep(1000, `resize of VM ${id}`);
  }
}
