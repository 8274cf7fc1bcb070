/** For tests: a client of the engine, on a world that it has to itself. */
import { expect } from 'vitest';
import { createSimulator, furnishing } from '../../index.ts';
import { createServiceTemplate } from '../../one/flow/service-template.ts';
import { TIMINGS } from '../../one/timing.ts';
import { ENGINE_DEFAULTS } from './config.ts';
import { ENGINE_DEVIATIONS } from './deviations.ts';
import { Playback } from './recorded-playback.ts';

export const FAAS = '"FAAS":{"FLAVOUR":"Function","CPU":2,"MEMORY":128,"DISK_SIZE":1024}';
export const inRuntime = (rest: string): string => `{"SERVERLESS_RUNTIME":{${rest}}}`;
export const resized = (cpu: number): string => inRuntime(FAAS.replace('"CPU":2', `"CPU":${cpu}`));

export const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Simulated milliseconds that the answer took. */
  readonly tookMs: number;
}

/** A client of a world. */
class Client extends Playback {
  async request(method: string, path: string, body?: string, authorization?: string): Promise<Answer> {
    const headers = new Headers({ Authorization: authorization ?? basic('tester:testerpass') });
    const began = this.cloud.clock.now;
    const answer = await this.ask(method, path, headers, body);
    const tookMs = this.cloud.clock.now - began;
    return { status: answer.status, text: await answer.text(), headers: answer.headers, tookMs };
  }

  /** Makes a runtime and says under which path it is found, and which VM is behind it. */
  async runtime(body = inRuntime(FAAS)): Promise<{ path: string; vm: number; service: number }> {
    const { status, text } = await this.request('POST', '/serverless-runtimes', body);
    expect(status, text).toBe(201);
    const { ID, SERVICE_ID, FAAS: faas } = JSON.parse(text).SERVERLESS_RUNTIME;
    return { path: `/serverless-runtimes/${ID}`, vm: faas.VM_ID, service: SERVICE_ID };
  }

  arm(action: string, effect: { do: 'stick' } | { do: 'fail' } | { do: 'delay'; ms: number }): void {
    this.cloud.judge.arm({ selector: { layer: 'vm', operation: action }, trigger: { times: 1 }, effect });
  }

  state(vm: number): string {
    return this.cloud.vms.get(vm).state;
  }
}

const furnish = await furnishing('recorded');

export function client(
  deviations: ReadonlySet<string> = new Set(ENGINE_DEVIATIONS),
  timeout = 30,
  maxBodyBytes = 4_194_304,
): Client {
  const engine = { ...ENGINE_DEFAULTS, timeout };
  const simulator = createSimulator({ furnish, timing: TIMINGS.fast, deviations, engine, maxBodyBytes });
  return new Client({ cloud: simulator.world.cloud, fetch: simulator.fetch });
}

/** A cloud in which the second role of `Late-Data` waits for the first, which never boots. */
export function lateClient(deviations?: ReadonlySet<string>, timeout?: number): Client {
  const late = client(deviations, timeout);
  const { cloud } = late;
  const role = (name: string) => ({ name, cardinality: 1, vm_template: 0 });
  const roles = [role('FAAS'), { ...role('DAAS'), parents: ['FAAS'] }];
  const { id } = createServiceTemplate(cloud, cloud.root, { name: 'Late-Data', deployment: 'straight', roles });
  cloud.run(cloud.root, 'one.document.chmod', id, 1, 1, 0, 0, 0, 0, 1, 0, 0);
  late.arm('deploy', { do: 'stick' });
  return late;
}

export const LATE = inRuntime('"FAAS":{"FLAVOUR":"Late"},"DAAS":{"FLAVOUR":"Data"}');
