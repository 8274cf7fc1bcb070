/** What the runner reads out of answers, and writes into the requests that it makes for itself. */
import { type FunctionState, remembered } from '../../sim/index.ts';
import type { Fault } from './scenario.ts';

/** A runtime that a step has made. */
export interface Bound {
  readonly id: number;
  readonly service: number | null;
  readonly vms: readonly number[];
}

/** What is read of an answer; nothing of one that is not as the contract has it, which another law finds. */
export function legible<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

export function driverFault(fault: Extract<Fault, { readonly kind: 'driver' }>, vm: number | null): object {
  const { action, message, ms, skip, times, probability } = fault;
  return {
    selector: { layer: 'vm', ...(action === undefined ? {} : { operation: action }), ...(vm === null ? {} : { vm }) },
    trigger: {
      ...(skip === undefined ? {} : { skip }),
      ...(times === undefined ? {} : { times }),
      ...(probability === undefined ? {} : { probability }),
    },
    effect: {
      do: fault.do,
      ...(message === undefined || fault.do !== 'fail' ? {} : { message }),
      ...(ms === undefined ? {} : { ms }),
    },
  };
}

/** A fault of onesim, of the runtime's own VM or service where it can be. */
export function declaredFault(fault: Extract<Fault, { readonly kind: 'declared' }>['fault'], bound?: Bound): object {
  if (bound === undefined) return fault;
  const [vm] = bound.vms;
  const own = fault.selector.layer === 'oneflow' ? { service: bound.service } : { vm };
  return { ...fault, selector: { ...own, ...fault.selector } };
}

export function boundOf(body: string): Bound | undefined {
  const { ID, SERVICE_ID } = runtimeIn(body) ?? {};
  // A number in quotation marks breaks the contract, and still leads to what was made.
  if (typeof ID !== 'number' && !/^\d{1,15}$/.test(`${ID}`)) return undefined;
  const vms = functionsIn(body).map(({ vm }) => vm);
  return { id: Number(ID), service: typeof SERVICE_ID === 'number' ? SERVICE_ID : null, vms };
}

/** Every law asks for it anew. */
export const runtimeIn = remembered((body): Readonly<Record<string, unknown>> | undefined => {
  try {
    return JSON.parse(body)?.SERVERLESS_RUNTIME ?? undefined;
  } catch {
    return undefined;
  }
});

/** Whether a text is JSON. */
export const isJsonText = remembered((text) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
});

export function functionsIn(body: string): { readonly vm: number; readonly state: FunctionState }[] {
  const runtime = runtimeIn(body) ?? {};
  return ['FAAS', 'DAAS'].flatMap((name) => {
    const fields = runtime[name];
    if (typeof fields !== 'object' || fields === null) return [];
    const { VM_ID: vm, STATE: state } = fields as { VM_ID?: number; STATE?: FunctionState };
    return typeof vm === 'number' && state !== undefined ? [{ vm, state }] : [];
  });
}
