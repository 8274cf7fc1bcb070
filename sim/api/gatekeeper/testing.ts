/** A world with the function instance of the user guide, and a client of its Gatekeeper. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import type { Cloud } from '../../one/cloud.ts';
import { addHost } from '../../one/resources/host.ts';
import { createSimulator } from '../../simulator.ts';
import type { CatalogueElement, Descriptor, GatekeeperFurnishing } from './furnishing.ts';

const contracts = await loadContracts();

export const FUNCTION = '39cfccd6-9475-4e99-aa88-9a2066ac3976';
export const INSTANCE = 'e60558d6-91c3-4196-abad-46079a0e3c61';
export const SERVICE = '4b6a8f1e-6d7b-4b0f-9a57-0d2f5f1c7e10';
export const SERVICE_INSTANCE = '7c1d9f20-5b7e-4a6d-b1c3-2e4f6a8b0d12';
export const PACKAGE = '9f3d2c55-0c1f-4c8e-8a0b-6f1f7d1be3a4';
export const VC = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';

/** Since when the instance has been running, and the next day, when the user guide was written. */
const SINCE = Date.parse('2017-08-28T15:23:31Z');
export const TODAY = Date.parse('2017-08-29T14:00:00Z');

/** The key that comes with onesim. */
export const SIGNING_KEY = readFileSync(new URL('../../../fixtures/keys/gatekeeper.pem', import.meta.url), 'utf8');

/** A descriptor of the demonstration. */
export const descriptorOf = (file: 'vtc-vnf' | 'sonata-demo-nsd' | 'sonata-demo-pd'): Descriptor =>
  parse(readFileSync(new URL(`../../../fixtures/descriptors/${file}.yaml`, import.meta.url), 'utf8')) as Descriptor;

/** What the user guide shows, and two ordinary users. */
export function userGuide(cloud: Cloud): GatekeeperFurnishing {
  addHost(cloud, { name: 'host0', imMad: 'dummy', vmMad: 'dummy' });
  const vmId = runVnf(cloud, VC);
  return {
    users: [
      { username: 'sonata', password: '1234', types: ['admin'] },
      { username: 'demo', password: 'demo', types: ['developer', 'customer'] },
    ],
    functions: [
      {
        uuid: FUNCTION,
        username: 'sonata-1503933806',
        status: 'active',
        md5: 'add46509964fb841584777155ac06bdd',
        createdAt: Date.parse('2017-08-28T15:23:31.653Z'),
        updatedAt: Date.parse('2017-08-28T15:23:31.653Z'),
        descriptor: descriptorOf('vtc-vnf'),
      },
    ],
    services: [demonstration(SERVICE, 'sonata-demo-nsd')],
    packages: [demonstration(PACKAGE, 'sonata-demo-pd')],
    instances: [
      {
        uuid: INSTANCE,
        functionUuid: FUNCTION,
        createdAt: SINCE,
        vdus: [{ id: 'vdu01', vnfcs: [{ id: '0', vcId: VC, vmId }] }],
      },
    ],
    serviceInstances: [
      { uuid: SERVICE_INSTANCE, serviceUuid: SERVICE, createdAt: SINCE, functionInstances: [INSTANCE] },
    ],
    vim: { uid: 0, networks: [] },
  };
}

const demonstration = (uuid: string, file: 'sonata-demo-nsd' | 'sonata-demo-pd'): CatalogueElement => ({
  uuid,
  username: 'sonata-1503933806',
  status: 'active',
  md5: uuid.replaceAll('-', ''),
  createdAt: SINCE,
  updatedAt: SINCE,
  descriptor: descriptorOf(file),
});

/** A machine of a VNF, which has been running on the first host {@link SINCE} then. Returns its id. */
export function runVnf(cloud: Cloud, vcId: string): number {
  const text = `NAME=vtc CPU=1 VCPU=1 MEMORY=2048 VNF_NAME=vtc-vnf VNFR_ID=${INSTANCE} VDU_ID=vdu01 VNFC_ID=0 VC_ID=${vcId}`;
  const vmId = cloud.run(cloud.root, 'one.vm.allocate', `${text} METRIC_PROFILE=idle`);
  cloud.driver.adopt(cloud.vms.get(vmId), cloud.hosts.get(0), SINCE);
  return vmId;
}

/** A small function; its number tells it from the others. */
export function numbered(n: number, given: Partial<CatalogueElement> = {}): CatalogueElement {
  return {
    uuid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    username: 'demo',
    status: 'active',
    md5: String(n).padStart(32, '0'),
    createdAt: SINCE + n,
    updatedAt: SINCE + n,
    ...given,
    descriptor: {
      descriptor_version: 'vnfd-schema-01',
      vendor: 'eu.example',
      name: `function-${n}`,
      version: '1.0',
      ...given.descriptor,
    },
  };
}

type Fetch = (request: Request) => Response | Promise<Response>;

/** A status, headers, and the body if it is JSON. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Asks a Gatekeeper, with the token of the user who has logged in. */
export class Client {
  readonly #fetch: Fetch;
  token = '';

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  static async loggedIn(fetch: Fetch, username = 'sonata', password = '1234'): Promise<Client> {
    const client = new Client(fetch);
    const { body } = await client.login(username, password);
    client.token = (body as { token: { access_token: string } }).token.access_token;
    return client;
  }

  login(username: unknown, password: unknown): Promise<Seen> {
    return this.send('POST', '/sessions', { body: JSON.stringify({ username, password }) });
  }

  get(path: string): Promise<Seen> {
    return this.send('GET', path, { headers: { Authorization: `bearer ${this.token}` } });
  }

  async send(method: string, path: string, more: RequestInit = {}): Promise<Seen> {
    const response = await this.#fetch(new Request(`http://gatekeeper.example:1337${path}`, { method, ...more }));
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? '' : JSON.parse(text) };
  }
}

/** A world of the user guide whose every answer is held against the contract, and one of its ordinary users. */
export async function guided() {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide });
  const checked = checkedFetch(fetch, contracts, world.config.deviations);
  return { client: await Client.loggedIn(checked, 'demo', 'demo'), checked, world };
}

/** The labels of a series of the machine, with those of the scrape, as they are stored. */
export const storedLabels = (metric: string): Readonly<Record<string, string>> => ({
  __name__: metric,
  exported_instance: 'vtc-vnf',
  exported_job: 'vnf',
  group: 'development',
  id: VC,
  instance: 'pushgateway:9091',
  job: 'sonata',
});

/** The body of a refusal. */
export const refusal = (code: number, message: string) => ({ status: code, body: { error: { code, message } } });
