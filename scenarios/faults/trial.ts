/** For tests: a runtime on a stand-in, faults against it, and what every API says of it then. */
import { expect } from 'vitest';
import { loadContracts } from '../../contracts/contract.ts';
import type { StartOptions } from '../../sim/index.ts';
import { type Json, type StandIn, standIn } from '../stand-in.ts';

const ALICE = 'alice:alice';
const ADMIN = 'oneadmin:opennebula';

/** A VM as each API shows it. */
interface Symptoms {
  /** STATE of its function, or the status of the answer when that is not 200. */
  readonly engine: string | number;
  /** LCM state, or state where that is not ACTIVE, by XML-RPC. */
  readonly oned: string;
  /** State of its service, or the status of the answer. */
  readonly oneflow: string | number;
  /** Whether its probe has pushed within the last ten seconds, as `/metrics` shows it. */
  readonly metrics: boolean;
}

export interface Trial extends StandIn {
  /** The runtime, its VM and its service. */
  readonly id: number;
  readonly vm: number;
  readonly service: number;
  arm(fault: object): Promise<string>;
  /** The fault as it is now. */
  fault(id: string): Promise<Json>;
  disarm(id: string): Promise<void>;
  symptoms(): Promise<Symptoms>;
  /** An element of `one.vm.info`, its text; several of a name are joined. */
  vmInfo(element: string): Promise<string>;
  hostInfo(host: number, element: string): Promise<string>;
  rpc(method: string, ...params: readonly (string | number | boolean)[]): Promise<string>;
  /** Whether what made the VM what it is leads back to a fault. */
  blames(fault: string): Promise<boolean>;
  control(method: string, path: string, body?: unknown): Promise<Json>;
}

const SERVICE_STATES =
  'PENDING DEPLOYING RUNNING UNDEPLOYING WARNING DONE FAILED_UNDEPLOYING FAILED_DEPLOYING SCALING FAILED_SCALING COOLDOWN'.split(
    ' ',
  );

const NAMES: Readonly<Record<string, string>> = { '1': 'PENDING', '6': 'DONE', '8': 'POWEROFF' };
const LCM_NAMES: Readonly<Record<string, string>> = {
  '1': 'PROLOG',
  '2': 'BOOT',
  '3': 'RUNNING',
  '11': 'EPILOG',
  '12': 'SHUTDOWN',
  '16': 'UNKNOWN',
  '36': 'BOOT_FAILURE',
  '39': 'PROLOG_FAILURE',
  '66': 'HOTPLUG_RESIZE',
};

function xmlOf(value: string | number | boolean): string {
  if (typeof value === 'string') return `<string>${value}</string>`;
  return typeof value === 'number' ? `<i4>${value}</i4>` : `<boolean>${Number(value)}</boolean>`;
}

// Read before the first test begins, whose time is short.
await loadContracts();

/** A stand-in with a runtime that has been asked for, and nothing more. */
export async function trial(options: StartOptions = {}): Promise<Trial> {
  const stand = await standIn(options);
  const { ask, simulator } = stand;

  const rpc = async (method: string, ...params: readonly (string | number | boolean)[]): Promise<string> => {
    const values = [ADMIN, ...params].map((each) => `<param><value>${xmlOf(each)}</value></param>`);
    const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values.join('')}</params></methodCall>`;
    const { text } = await ask('/RPC2', { body, headers: { 'Content-Type': 'text/xml' } });
    return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  };
  const control = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const answer = await ask(`/_onesim${path}`, { method, body });
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer.status === 204 ? ({} as Json) : answer.json();
  };

  const made = await ask('/serverless-runtimes', {
    user: ALICE,
    body: {
      SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', CPU: 1, MEMORY: 128 }, SCHEDULING: {}, DEVICE_INFO: {} },
    },
  });
  expect(made.status, made.text).toBe(201);
  const runtime = made.json().SERVERLESS_RUNTIME as Json;
  const id = Number(runtime.ID);
  const vm = Number((runtime.FAAS as Json).VM_ID);
  const service = Number(runtime.SERVICE_ID);

  const elementOf = (xml: string, element: string): string =>
    [...xml.matchAll(new RegExp(`<${element}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${element}>`, 'gs'))]
      .map((match) => match[1])
      .join(' ');
  const vmInfo = async (element: string): Promise<string> => elementOf(await rpc('one.vm.info', vm), element);

  return {
    ...stand,
    id,
    vm,
    service,
    rpc,
    control,
    vmInfo,
    hostInfo: async (host, element) => elementOf(await rpc('one.host.info', host), element),
    arm: async (fault) => String((await control('POST', '/faults', fault)).id),
    fault: (fault) => control('GET', `/faults/${fault}`),
    async disarm(fault) {
      await control('DELETE', `/faults/${fault}`);
      await stand.pass(0);
    },
    async symptoms() {
      const [read, of] = [
        // It may wait for its service.
        await stand.askWaiting(`/serverless-runtimes/${id}`, { user: ALICE }),
        await ask(`/service/${service}`, { user: ADMIN }),
      ];
      const [state = '', lcm = ''] = [await vmInfo('STATE'), await vmInfo('LCM_STATE')].map(
        (each) => each.split(' ')[0],
      );
      const body = of.status === 200 ? ((of.json().DOCUMENT as Json).TEMPLATE as Json).BODY : undefined;
      const exposition = (await ask('/metrics')).text;
      const pushed = new RegExp(`^vm_up\\{[^}]*instance="one-${vm}"[^}]*\\} \\d+ (\\d+)$`, 'm').exec(exposition)?.[1];
      return {
        engine:
          read.status === 200 ? String(((read.json().SERVERLESS_RUNTIME as Json).FAAS as Json).STATE) : read.status,
        oned: state === '3' ? (LCM_NAMES[lcm] ?? lcm) : (NAMES[state] ?? state),
        oneflow:
          body === undefined
            ? of.status
            : (SERVICE_STATES[Number((body as Json).state)] ?? String((body as Json).state)),
        metrics: pushed !== undefined && simulator.world.clock.now - Number(pushed) <= 10_000,
      };
    },
    async blames(fault) {
      const { history } = await control('GET', `/vms/${vm}/history`);
      const last = (
        history as unknown as { readonly because: readonly { readonly subject: string; readonly detail: Json }[] }[]
      ).at(-1);
      return (
        last?.because.some(
          ({ subject, detail }) => subject === `fault/${fault}` || detail.fault === (fault as unknown),
        ) === true
      );
    },
  };
}
