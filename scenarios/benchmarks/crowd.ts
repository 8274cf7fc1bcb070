/** The world of the benchmarks: a cloud with room for as many VMs as are asked for, and a tenant who makes runtimes in it. */
import { ENGINE_DEFAULTS } from '../../sim/api/engine/config.ts';
import { create } from '../../sim/api/engine/create.ts';
import { credentialsOf } from '../../sim/api/engine/credentials.ts';
import { remove } from '../../sim/api/engine/delete.ts';
import { OpenNebula } from '../../sim/api/engine/opennebula.ts';
import { type Engine, type Runtime, read } from '../../sim/api/engine/runtime.ts';
import { parseJson } from '../../sim/api/ruby-json.ts';
import { createUser } from '../../sim/one/access/user.ts';
import { CLOUD_DEFAULTS } from '../../sim/one/cloud.ts';
import { createServiceTemplate } from '../../sim/one/flow/service-template.ts';
import { addHost } from '../../sim/one/resources/host.ts';
import { TIMINGS } from '../../sim/one/timing.ts';
import { createSimulator, PROFILES, type Simulator, type World } from '../../sim/simulator.ts';

const TENANT = 'alice';
const PASSWORD = 'alice';
export const AUTHORIZATION = `Basic ${btoa(`${TENANT}:${PASSWORD}`)}`;

/** What the user guide asks for first. */
export const REQUEST = '{"SERVERLESS_RUNTIME":{"NAME":"Example Serverless Runtime","FAAS":{"FLAVOUR":"Function"}}}';

/** The cause of what no request has made happen. */
const NO_REQUEST = 0;

const HOSTS = 2;
const USABLE_BY_ALL = [1, 1, 0, 1, 0, 0, 1, 0, 0] as const;

/** Longer than anything takes in the `fast` timing: the scheduler's interval and two driver actions. */
const SETTLED_MS = 5_000;

const IMAGE = 'NAME=base TYPE=OS SIZE=256 DEV_PREFIX=vd FORMAT=qcow2';
// The address range of a /8, as there is one address for each VM.
const NETWORK = 'NAME=private VN_MAD=bridge BRIDGE=br0 AR=[TYPE=IP4, IP="10.0.0.1", SIZE=16000000]';
const VM_TEMPLATE = `NAME=Function CPU=0.1 MEMORY=128 DISK=[IMAGE_ID=0] NIC=[NETWORK_ID=0]
  CONTEXT=[NETWORK=YES, SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]"]`;

/** A simulator whose cloud holds so many VMs. Its clock stands still. */
export function roomFor(vms: number): Simulator {
  const simulator = createSimulator({
    timing: TIMINGS.fast,
    cloud: { ...CLOUD_DEFAULTS, maxDispatch: vms, maxPerHost: vms },
  });
  furnish(simulator.world, Math.ceil(vms / HOSTS) + 1);
  return simulator;
}

function furnish({ cloud, clock }: World, vmsPerHost: number): void {
  const { root } = cloud;
  createUser(cloud, { name: TENANT, password: PASSWORD });
  const capacity = { cpu: 400 * vmsPerHost, memKb: 4 * 2 ** 20 * vmsPerHost };
  for (let i = 0; i < HOSTS; i++) addHost(cloud, { name: `host${i}`, ...capacity });
  cloud.run(root, 'one.image.chmod', cloud.run(root, 'one.image.allocate', IMAGE, 1), ...USABLE_BY_ALL);
  clock.advanceNow(60_000);
  cloud.run(root, 'one.vn.chmod', cloud.run(root, 'one.vn.allocate', NETWORK), ...USABLE_BY_ALL);
  const template = cloud.run(root, 'one.template.allocate', VM_TEMPLATE);
  cloud.run(root, 'one.template.chmod', template, ...USABLE_BY_ALL);
  const roles = [{ name: 'FAAS', cardinality: 1, vm_template: template }];
  const { id } = createServiceTemplate(cloud, root, { name: 'Function', deployment: 'straight', roles });
  cloud.run(root, 'one.document.chmod', id, ...USABLE_BY_ALL);
}

/** The tenant, at the engine's own operations: no request is made, so that nothing but them is measured. */
export class Tenant {
  readonly #world: World;
  readonly #engine: Engine;

  constructor({ world }: Simulator) {
    this.#world = world;
    const deviations = PROFILES.upstream;
    const credentials = credentialsOf(AUTHORIZATION, deviations);
    const one = new OpenNebula(world.cloud, credentials, ENGINE_DEFAULTS, NO_REQUEST);
    this.#engine = { one, config: ENGINE_DEFAULTS, deviations };
  }

  /** Makes a runtime. Its VM is RUNNING after {@link settle}. */
  create(): Promise<Runtime> {
    return create(this.#engine, parseJson(REQUEST));
  }

  settle(): void {
    this.#world.clock.advanceNow(SETTLED_MS);
  }

  /** @throws Error unless so many VMs are RUNNING */
  requireRunning(wanted: number): void {
    const { vms } = this.#world.cloud;
    let running = 0;
    for (const { state } of vms) if (state === 'RUNNING') running++;
    if (running !== wanted) throw new Error(`${running} of ${wanted} VMs run`);
  }

  /** One VM from its creation to its end, with a look at it while it is RUNNING. */
  async cycle(): Promise<void> {
    const { id } = (await this.create()).document;
    this.settle();
    const runtime = await read(this.#engine, BigInt(id));
    const faas = runtime.body.get('FAAS');
    if (!(faas instanceof Map) || faas.get('STATE') !== 'RUNNING') throw new Error(`runtime ${id} does not run`);
    await remove(this.#engine, runtime);
    this.settle();
    const vm = this.#world.cloud.vms.find(Number(faas.get('VM_ID')));
    if (vm?.state !== 'DONE') throw new Error(`the VM of runtime ${id} is not gone`);
  }
}
