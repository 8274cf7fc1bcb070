import { beforeEach, describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { furnishedCloud, TESTER } from '../testing.ts';
import type { JsonObject } from './json.ts';
import { type Service, serviceState } from './service.ts';
import { createServiceTemplate } from './service-template.ts';

let cloud: Cloud;

beforeEach(() => {
  cloud = furnishedCloud();
});

/** A running service of one role with bounds 1 to 5. */
function running(role: JsonObject): Service {
  const tester = cloud.authenticate(TESTER, 'one.user.info');
  const roles = [{ name: 'FAAS', cardinality: 1, vm_template: 0, min_vms: 1, max_vms: 5, ...role }];
  const template = createServiceTemplate(cloud, tester, { name: 'F', roles });
  const { service } = cloud.flow.instantiate(tester, template.id);
  settle();
  expect(serviceState(service)).toBe('RUNNING');
  return service;
}

function settle(): void {
  for (const vm of cloud.vms) if (vm.state === 'PENDING') cloud.run(cloud.root, 'one.vm.deploy', vm.id, 0);
  cloud.clock.advanceNow(5_000);
}

const round = (): void => void cloud.clock.advanceNow(90_000);
const cardinality = (service: Service): number => service.body.roles[0]?.cardinality ?? -1;
const policy = ({ body }: Service): JsonObject => {
  const [first] = (body.roles[0]?.elasticity_policies ?? []) as JsonObject[];
  return first ?? {};
};
const load = (text: string): number => cloud.run(cloud.root, 'one.vm.update', 0, text, 1);

describe('an elasticity policy', () => {
  const elastic = (more: JsonObject = {}): JsonObject => ({
    elasticity_policies: [{ type: 'CHANGE', adjust: 1, expression: 'LOAD > 10', ...more }],
  });

  test('scales when its expression holds, and shows what it saw', () => {
    const service = running(elastic({ cooldown: 30 }));
    round();
    expect(policy(service)).toMatchObject({ expression_evaluated: 'LOAD[--] > 10', true_evals: 0 });
    load('LOAD=12.5');
    round();
    expect(policy(service)).toMatchObject({ expression_evaluated: 'LOAD[12.5] > 10' });
    expect([serviceState(service), cardinality(service)]).toEqual(['SCALING', 2]);
    settle();
    expect(serviceState(service)).toBe('COOLDOWN');
    cloud.clock.advanceNow(30_000);
    expect(serviceState(service)).toBe('RUNNING');
    expect(cloud.vms.get(1).uid).toBe(2);
  });

  test('waits until it has held as often as it says', () => {
    const service = running(elastic({ period_number: 3, period: 60 }));
    load('LOAD=20');
    round();
    round();
    expect([cardinality(service), policy(service).true_evals]).toEqual([1, 2]);
    round();
    expect(cardinality(service)).toBe(2);
  });

  test.each<[JsonObject, number]>([
    [{ type: 'CHANGE', adjust: 9 }, 5],
    [{ type: 'CARDINALITY', adjust: 3 }, 3],
    [{ type: 'PERCENTAGE_CHANGE', adjust: 50 }, 2],
    [{ type: 'PERCENTAGE_CHANGE', adjust: 50, min_adjust_step: 2 }, 3],
    [{ type: 'CHANGE', adjust: -1 }, 1],
  ])('%j makes %i of one', (change, expected) => {
    const service = running(elastic(change));
    load('LOAD=20');
    round();
    expect(cardinality(service)).toBe(expected);
  });
});

describe('a scheduled policy', () => {
  const scheduled = (when: JsonObject): JsonObject => ({
    scheduled_policies: [{ type: 'CARDINALITY', adjust: 2, ...when }],
  });

  test('scales when its time has come', () => {
    const service = running(scheduled({ start_time: '2026-11-21 00:04:00' }));
    round();
    expect(cardinality(service)).toBe(1);
    round();
    round();
    expect(cardinality(service)).toBe(2);
  });

  test('scales when it recurs', () => {
    const service = running(scheduled({ recurrence: '3 * * * *' }));
    round();
    expect(cardinality(service)).toBe(1);
    round();
    expect(cardinality(service)).toBe(2);
  });
});

test('a role that has lost VMs is brought back to its least number', () => {
  const service = running({});
  cloud.run(cloud.root, 'one.vm.action', 'terminate-hard', 0);
  settle();
  expect(cardinality(service)).toBe(0);
  round();
  expect(cardinality(service)).toBe(1);
});

test('without policies nothing is in the event queue', () => {
  const pending = (): number => cloud.clock.pending;
  running({ min_vms: 0 });
  const before = pending();
  running({ min_vms: 0 });
  expect(pending()).toBe(before);
  running({ min_vms: 1 });
  expect(pending()).toBe(before + 1);
});
