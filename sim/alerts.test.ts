/** The monitoring rules of a VNFD, from the descriptor to the alerts that a Prometheus shows. */
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../contracts/checked.ts';
import { loadContracts } from '../contracts/contract.ts';
import { createSimulator } from './simulator.ts';
import { furnishing } from './world/worlds.ts';

const contracts = await loadContracts();
const furnish = await furnishing('default');

const SERVICE = '7c1d9f20-5b7e-4a6d-b1c3-2e4f6a8b0d12';
const VC = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
/** Of the function of the default world. */
const RULE = 'mon_rule_vm_cpu_usage_85_perc';

function start(changed: (rules: object[]) => object[] = (rules) => rules) {
  const simulator = createSimulator({
    epochMs: Date.parse('2017-08-29T12:00:00Z'),
    furnish: (cloud) => {
      const known = furnish(cloud);
      const functions = known.functions.map((element) => {
        const { monitoring_rules: rules, ...descriptor } = element.descriptor;
        return { ...element, descriptor: { ...descriptor, monitoring_rules: changed(rules as object[]) as [] } };
      });
      return { ...known, functions };
    },
  });
  const { world } = simulator;
  const fetch = checkedFetch(simulator.fetch, contracts, world.config.deviations);
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new Request(`http://localhost:1337${path}`, init));
    return JSON.parse(await response.text());
  };
  const behave = (profile: string) =>
    send('/_onesim/vms/0/profile', { method: 'PUT', body: JSON.stringify({ profile }) });
  const alerts = async () => (await send('/api/v1/alerts')).data.alerts;
  const rules = async (query = '') => (await send(`/api/v1/rules${query}`)).data.groups;
  const pass = (seconds: number) => world.clock.advanceNow(seconds * 1000);
  return { simulator, world, send, behave, alerts, rules, pass };
}

describe('a rule of a VNFD', () => {
  test('watches each VNFC of the VDU that it names, and is inactive while it does not hold', async () => {
    const { rules, alerts } = start();
    const [group, ...others] = await rules();
    expect(others).toEqual([]);
    expect(group).toMatchObject({ name: SERVICE, interval: 15, lastEvaluation: '2017-08-29T12:00:00Z' });
    expect(group.rules).toEqual([
      expect.objectContaining({
        state: 'inactive',
        name: RULE,
        query: `vm_cpu_perc{id="${VC}"} > 85`,
        duration: 10,
        labels: { serviceID: SERVICE },
        annotations: {
          description: 'Trigger events if CPU load is above 85 percent.',
          notification: 'rabbitmq_message',
        },
        alerts: [],
        health: 'ok',
        type: 'alerting',
      }),
    ]);
    expect(await rules('?type=record')).toEqual([]);
    expect(await rules('?type=alert')).toEqual([group]);
    expect(await alerts()).toEqual([]);
  });

  test('is pending, then fires, then is over', async () => {
    const { behave, alerts, rules, pass, send } = start();
    await behave('saturating');
    pass(15);
    expect((await alerts())[0]).toMatchObject({ state: 'pending', activeAt: '2017-08-29T12:00:15Z' });
    pass(15);
    const [alert] = await alerts();
    expect(alert).toMatchObject({
      labels: { alertname: RULE, core: 'cpu', exported_instance: 'vtc-vnf', id: VC, serviceID: SERVICE },
      state: 'firing',
      activeAt: '2017-08-29T12:00:15Z',
    });
    expect(alert.value).toMatch(/^(9(\.\d+)?e\+01|1e\+02|8\.\d+e\+01)$/);
    expect((await rules())[0].rules[0].state).toBe('firing');
    const { result } = (await send('/api/v1/query?query=ALERTS{core="cpu"}')).data;
    expect(result).toEqual([
      { metric: expect.objectContaining({ alertname: RULE, alertstate: 'firing' }), value: [expect.any(Number), '1'] },
    ]);
    await behave('idle');
    pass(60);
    expect(await alerts()).toEqual([]);
    const past = await send('/api/v1/query?query=count(ALERTS{alertstate="firing"})&time=2017-08-29T12:00:30Z');
    expect(past.data.result[0].value[1]).toBe('2');
    expect((await send('/api/v1/label/alertname/values')).data).toEqual([RULE]);
  });

  test('goes on in a restored world', async () => {
    const { behave, pass, simulator, world } = start();
    await behave('saturating');
    pass(40);
    const other = createSimulator();
    other.restore(simulator.snapshot());
    expect(other.world.metrics.alerts(world.clock.now)).toEqual(world.metrics.alerts(world.clock.now));
    expect(other.world.metrics.alerts(world.clock.now)[0]?.alerts).toHaveLength(2);
  });

  test.each([
    ['vdu01:vm_cpu_perc >  85', 0],
    ['vdu01:vm_cpu_perc >= 85', 0],
    ['vdu01:vm_cpu_perc>85', 0],
    ['other:vm_cpu_perc > 85', 0],
    ['vm_cpu_perc > 85', 0],
    ['vdu01:vm_cpu_perc > many', 0],
    ['vdu01:vm_mem_perc < 12.5', 1],
  ])('that says %j makes %i', async (condition, count) => {
    const { world } = start((rules) => rules.map((rule) => ({ ...rule, condition })));
    expect(world.metrics.alerts(world.clock.now)).toHaveLength(count);
  });

  test.each([
    [2, 'm', 120],
    [1, 'h', 3600],
    [1, 'd', 86_400],
    [1500, 'ms', 1.5],
    [7, undefined, 7],
    [7, 'fortnight', 7],
    [7, 'constructor', 7],
    [7, '__proto__', 7],
    [7, ['m'], 7],
    [7, { toString: 1 }, 7],
    ['7', 's', 7],
    [{ valueOf: 1 }, 's', 0],
    [-1, 's', 0],
  ])('has to hold for %j %j', async (duration, unit, seconds) => {
    const { rules } = start((all) => all.map((rule) => ({ ...rule, duration, duration_unit: unit })));
    expect((await rules())[0].rules[0].duration).toBe(seconds);
  });

  test.each([
    ['mon:rule:cpu', 'mon_rule_cpu'],
    ['cpu is high', 'cpu_is_high'],
    ['a: b', 'a__b'],
  ])('called %j makes alerts called %s', async (name, shown) => {
    const { rules } = start((all) => all.map((rule) => ({ ...rule, name })));
    expect((await rules())[0].rules[0].name).toBe(shown);
  });

  test('counts once by its name', async () => {
    const { world } = start((rules) => [...rules, ...rules]);
    expect(world.metrics.alerts(world.clock.now)).toHaveLength(1);
  });
});
