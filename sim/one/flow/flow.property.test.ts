import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OneError } from '../error.ts';
import { furnishedCloud, TESTER } from '../testing.ts';
import { FlowError } from './flow-error.ts';
import { nodeIds, type Role, roleState, type Service, serviceState } from './service.ts';
import { createServiceTemplate } from './service-template.ts';

/** What may happen to a service: what its user asks for, what becomes of a VM, and time. */
type Step =
  | { readonly do: 'scale'; readonly role: 'A' | 'B'; readonly to: number }
  | { readonly do: 'delete' | 'recover' | 'recoverDelete' | 'release' }
  | {
      readonly do: 'vm';
      readonly nth: number;
      readonly action: 'deploy' | 'poweroff' | 'suspend' | 'resume' | 'terminate';
    }
  | { readonly do: 'driver'; readonly nth: number; readonly ok: boolean }
  | { readonly do: 'lose' | 'find'; readonly nth: number }
  | { readonly do: 'wait'; readonly ms: number };

const nth = fc.nat({ max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('scale' as const), role: fc.constantFrom('A', 'B'), to: fc.nat({ max: 4 }) }),
  fc.record({ do: fc.constantFrom('delete', 'recover', 'recoverDelete', 'release') }),
  fc.record({
    do: fc.constant('vm' as const),
    nth,
    action: fc.constantFrom('deploy', 'deploy', 'poweroff', 'suspend', 'resume', 'terminate'),
  }),
  fc.record({ do: fc.constant('driver' as const), nth, ok: fc.boolean() }),
  fc.record({ do: fc.constantFrom('lose', 'find'), nth }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(50, 500, 3_000, 31_000, 301_000) }),
);

const service = fc.record({
  deployment: fc.constantFrom('none', 'straight'),
  on_hold: fc.boolean(),
  automatic_deletion: fc.boolean(),
  cardinalities: fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })),
  /** B cannot be deployed. */
  broken: fc.boolean(),
});

/** Steps that leave an undeployment to itself. */
const PASSIVE: ReadonlySet<Step['do']> = new Set(['wait', 'driver', 'lose', 'find']);

test('whatever happens, services, roles, nodes and VMs agree', () => {
  fc.assert(
    fc.property(service, fc.array(step, { minLength: 1, maxLength: 25 }), (wish, steps) => {
      const cloud = furnishedCloud();
      const tester = cloud.authenticate(TESTER, 'one.user.info');
      const roles = wish.cardinalities.map((cardinality, i) => ({
        name: 'AB'.charAt(i),
        cardinality,
        vm_template: i === 1 && wish.broken ? 99 : 0,
        parents: i === 1 ? ['A'] : [],
      }));
      const { deployment, on_hold, automatic_deletion } = wish;
      const template = createServiceTemplate(cloud, tester, {
        name: 'S',
        deployment,
        on_hold,
        automatic_deletion,
        roles,
      });
      const made = cloud.flow.instantiate(tester, template.id).service;
      const { id } = made;
      /** The VMs that must be gone with the service, since it was deleted when all was there, and then left alone. */
      let doomed: readonly number[] = [];
      check(made);

      for (const each of steps) {
        const vms = [...cloud.vms];
        const vm = 'nth' in each ? vms[each.nth % Math.max(1, vms.length)] : undefined;
        if (!PASSIVE.has(each.do)) doomed = [];
        const nodes = isWhole(made) ? made.body.roles.flatMap(nodeIds) : [];
        const done = accepted(() => {
          switch (each.do) {
            case 'scale':
              return cloud.flow.scale(tester, id, each.role, each.to, true);
            case 'delete':
              return cloud.flow.delete(tester, id);
            case 'recover':
              return cloud.flow.recover(tester, id);
            case 'recoverDelete':
              return cloud.flow.recover(tester, id, { delete: true });
            case 'release':
              return cloud.flow.release(tester, id);
            case 'vm':
              if (vm === undefined) return;
              if (each.action === 'deploy') cloud.run(cloud.root, 'one.vm.deploy', vm.id, 0);
              else cloud.run(cloud.root, 'one.vm.action', each.action, vm.id);
              return;
            case 'driver':
              if (vm !== undefined) cloud.driver.finish(vm, each.ok, 'no');
              return;
            case 'lose':
              if (vm?.state === 'RUNNING') cloud.driver.enter(vm, 'UNKNOWN');
              return;
            case 'find':
              if (vm?.state === 'UNKNOWN') cloud.driver.enter(vm, 'RUNNING');
              return;
            case 'wait':
              cloud.clock.advanceNow(each.ms);
              return;
            default:
              each satisfies never;
          }
        });
        if (each.do === 'delete' && done && serviceState(made) === 'UNDEPLOYING') doomed = nodes;
        if (cloud.documents.find(id) === made) check(made);
        else expect(doomed.map((node) => cloud.vms.get(node).state)).toEqual(doomed.map(() => 'DONE'));
      }

      function check(now: Service): void {
        const state = serviceState(now);
        const ids = now.body.roles.flatMap(nodeIds);
        expect(new Set(ids).size).toBe(ids.length);
        for (const node of ids) {
          expect(cloud.vms.get(node).userTemplate.get('SERVICE_ID')).toBe(String(id));
        }
        for (const role of now.body.roles) {
          expect(role.cardinality).toBeGreaterThanOrEqual(0);
          if (settled(role)) expect(role.nodes).toHaveLength(role.cardinality);
        }
        if (state === 'RUNNING') expect(now.body.roles.map(roleState)).toEqual(['RUNNING', 'RUNNING']);
        if (state === 'COOLDOWN') expect(now.body.roles.map(roleState)).toContain('COOLDOWN');
        expect((now.body.log ?? []).length).toBeLessThanOrEqual(50);
        expect(JSON.parse(now.template.get('BODY') ?? '')).toEqual(now.body);
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});

/** A service that runs or waits to, with all its VMs. */
const isWhole = (service: Service): boolean =>
  ['RUNNING', 'WARNING', 'HOLD'].includes(serviceState(service)) &&
  service.body.roles.every((role) => role.nodes.length === role.cardinality);

/** A role that is neither coming nor going. */
const settled = (role: Role): boolean => ['RUNNING', 'COOLDOWN', 'HOLD'].includes(roleState(role));

/** Whether the step was not refused. Refusals are part of the game; anything else is not. */
function accepted(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof FlowError || error instanceof OneError) return false;
    throw error;
  }
}
