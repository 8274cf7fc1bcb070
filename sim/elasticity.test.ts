/** Services that scale by themselves, with what the metric generator measures: all over OneFlow's REST. */
import { describe, expect, test } from 'vitest';
import { createSimulator, type Simulator } from './simulator.ts';
import { furnishing } from './world/worlds.ts';

const SERVICE_STATES = { SCALING: 8, COOLDOWN: 10, RUNNING: 2 } as const;

interface Policy {
  readonly true_evals?: number;
  readonly expression_evaluated?: string;
}

interface Body {
  readonly state: number;
  readonly roles: readonly [{ readonly cardinality: number; readonly elasticity_policies: readonly [Policy] }];
}

/** A client of OneFlow, as alice of the default world. */
class Client {
  readonly simulator: Simulator;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  async send(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const headers = { Authorization: `Basic ${btoa('alice:alice')}` };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await this.simulator.fetch(new Request(`http://localhost${path}`, init));
    return { status: response.status, text: await response.text() };
  }

  /** A service of one role with a policy, whose VMs behave as a profile says. Returns its id. */
  async deploy(profile: string, policy: object): Promise<number> {
    const role = {
      name: 'FAAS',
      cardinality: 1,
      min_vms: 1,
      max_vms: 3,
      vm_template: 0,
      vm_template_contents: `METRIC_PROFILE=${profile}`,
      elasticity_policies: [policy],
    };
    const made = await this.send('POST', '/service_template', { name: 'elastic', roles: [role] });
    expect(made.status).toBe(201);
    const template = JSON.parse(made.text).DOCUMENT.ID;
    const begun = await this.send('POST', `/service_template/${template}/action`, {
      action: { perform: 'instantiate' },
    });
    expect(begun.status).toBe(201);
    return Number(JSON.parse(begun.text).DOCUMENT.ID);
  }

  async body(id: number): Promise<Body> {
    return JSON.parse((await this.send('GET', `/service/${id}`)).text).DOCUMENT.TEMPLATE.BODY;
  }

  pass(minutes: number): void {
    this.simulator.world.clock.advanceNow(minutes * 60_000);
  }
}

const begin = async (): Promise<Client> => new Client(createSimulator({ furnish: await furnishing('default') }));

const saw = ({ roles: [role] }: Body): Policy => role.elasticity_policies[0];

describe('an elasticity policy', () => {
  test('on CPU scales out when the guests are busy, as often in a row as it says, and cools down', async () => {
    const client = await begin();
    const policy = { type: 'CHANGE', adjust: 1, expression: 'CPU > 80', period_number: 3, period: 60, cooldown: 120 };
    const id = await client.deploy('saturating', policy);
    client.pass(5);
    const idle = await client.body(id);
    expect([idle.state, idle.roles[0].cardinality]).toEqual([SERVICE_STATES.RUNNING, 1]);
    expect(saw(idle)).toMatchObject({
      true_evals: 0,
      expression_evaluated: expect.stringMatching(/^CPU\[\d+\.\d+\] > 80$/),
    });
    const counts: (number | undefined)[] = [];
    const states: number[] = [];
    for (let minute = 0; minute < 120; minute++) {
      const body = await client.body(id);
      if (body.roles[0].cardinality > 1) states.push(body.state);
      else if (counts.at(-1) !== saw(body).true_evals) counts.push(saw(body).true_evals);
      if (states.length === 4) break;
      client.pass(1);
    }
    // A look that finds them less busy begins anew.
    expect(counts.join()).toMatch(/^0(,1(,2)?,0)*,1,2$/);
    expect(states).toEqual([
      SERVICE_STATES.COOLDOWN,
      SERVICE_STATES.COOLDOWN,
      ...Array(2).fill(SERVICE_STATES.RUNNING),
    ]);
    const scaled = await client.body(id);
    expect(scaled.roles[0].cardinality).toBe(2);
    const [, cpu = ''] = /^CPU\[(.+)\]/.exec(saw(scaled).expression_evaluated ?? '') ?? [];
    expect(Number(cpu)).toBeGreaterThan(0);
  });

  test('on MEMORY sees kilobytes, and what the user writes before what is measured', async () => {
    const client = await begin();
    const id = await client.deploy('steady', { type: 'CARDINALITY', adjust: 3, expression: 'MEMORY > 1 && CPU > 99' });
    client.pass(5);
    const measured = saw(await client.body(id)).expression_evaluated ?? '';
    const [, memory = ''] = /^MEMORY\[(\d+\.\d+)\] > 1 && CPU\[\d+(\.\d+)?\] > 99$/.exec(measured) ?? [];
    const { cloud, clock, metrics } = client.simulator.world;
    const [vm] = [...cloud.vms].slice(-1);
    if (vm === undefined) throw new Error('no VM');
    const sample = metrics.lastVmSample(vm.id, clock.now);
    expect(sample?.memoryKb).toBeGreaterThan(10_000);
    expect(Math.abs(Number(memory) / (sample?.memoryKb ?? 1) - 1)).toBeLessThan(0.5);
    cloud.call('alice:alice', 'one.vm.update', vm.id, 'CPU=100', 1);
    client.pass(5);
    expect((await client.body(id)).roles[0].cardinality).toBe(3);
  });

  test('scales in when nothing happens', async () => {
    const client = await begin();
    const id = await client.deploy('idle', { type: 'CHANGE', adjust: -1, expression: 'CPU < 10', cooldown: 30 });
    client.pass(2);
    const scale = { role_name: 'FAAS', cardinality: 2, force: false };
    expect((await client.send('POST', `/service/${id}/scale`, scale)).status).toBe(204);
    client.pass(15);
    const body = await client.body(id);
    expect([body.state, body.roles[0].cardinality]).toEqual([SERVICE_STATES.RUNNING, 1]);
  });
});
