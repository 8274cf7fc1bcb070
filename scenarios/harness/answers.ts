/** What the runner reads out of answers, and writes into the requests that it makes for itself. */
import { type FunctionState, remembered } from '../../sim/index.ts';
import type { Fault } from './scenario.ts';
import type { Answer } from './trace.ts';

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

/** Why a control API does not do what it is asked for, in its words; none where something else has answered. */
export function controlRefusal({ body }: Pick<Answer, 'body'>): string | undefined {
  const said = legible(() => JSON.parse(body).error.message);
  return typeof said === 'string' ? said : undefined;
}

/** What a fault is of, as its selector says it. */
export type Own = { readonly vm: number } | { readonly service: number | null } | { readonly host: string };

type Driver = Extract<Fault, { readonly kind: 'driver' }>;
type Declared = Extract<Fault, { readonly kind: 'declared' }>;

/** Which of it a fault means that refers to a runtime: the runtime's VM or service, or the host that it is on. */
export function meantBy({ ref, ...fault }: Driver | Declared): 'vm' | 'service' | 'host' {
  const layer = fault.kind === 'driver' ? 'vm' : fault.fault.selector.layer;
  if (layer === 'host' || ref?.endsWith('.host')) return 'host';
  return layer === 'oneflow' ? 'service' : 'vm';
}

/** The fault as onesim takes it. @param own what it is of, when it refers to something */
export const wireFault = (fault: Driver | Declared, own?: Own): object =>
  fault.kind === 'driver' ? driverFault(fault, own) : declaredFault(fault, own);

function driverFault(fault: Driver, own: Own | undefined): object {
  const { action, message, ms, skip, times, probability } = fault;
  return {
    selector: { layer: 'vm', ...(action === undefined ? {} : { operation: action }), ...own },
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

const declaredFault = ({ fault }: Declared, own: Own | undefined): object => ({
  ...fault,
  selector: { ...own, ...fault.selector },
});

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
