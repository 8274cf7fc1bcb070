/**
 * Who scenarios have to be on a server that is not ours. Nobody has a role there without being named by a flag, and
 * oneadmin makes and changes runtimes only if that is said.
 */
import { Problem } from '../../../sim/index.ts';
import { type Credentials, isAnybodys } from '../request.ts';
import { faultsOf, isRequest, type Scenario, type Step } from '../scenario.ts';
import type { Role } from '../trace.ts';

export const ROLE_FLAGS = { owner: '--auth', other: '--other-auth', admin: '--admin-auth' } as const;

export const isOneadmin = (session: string | undefined): boolean => session?.startsWith('oneadmin:') === true;

/** What a scenario cannot be played without. */
interface Need {
  /** What needs it, in words. */
  readonly what: string;
  readonly as: Role;
  /** Whether it makes or changes runtimes; what only an administrator can do is no more than naming one allows. */
  readonly changes: boolean;
}

/** Whether something may be another thing after it. */
export function changesThings(step: Step): boolean {
  if (step.op === 'request') return !['GET', 'HEAD', 'OPTIONS'].includes(step.method);
  return ['create', 'put', 'delete', 'heal'].includes(step.op);
}

function needsOf(scenario: Scenario): Need[] {
  const needs = scenario.steps.flatMap((step): Need[] => {
    const what = `step ${step.id}`;
    if (step.op === 'heal') return [{ what, as: 'admin', changes: false }];
    if (!isRequest(step) || isAnybodys(step)) return [];
    return [{ what, as: step.as ?? 'owner', changes: changesThings(step) }];
  });
  const operators = faultsOf(scenario).filter(({ kind }) => kind === 'operator');
  return [...needs, ...operators.map(({ id }): Need => ({ what: `fault ${id}`, as: 'admin', changes: false }))];
}

/** @param file that the scenario is in @throws Problem */
export function refuseUnnamed(scenario: Scenario, file: string, credentials: Credentials, isFree: boolean): void {
  for (const { what, as, changes } of needsOf(scenario)) {
    const session = credentials[as];
    if (session === undefined) {
      throw new Problem(`${file}: ${what} is done as ${as}: say who that is, with ${ROLE_FLAGS[as]} user:password`);
    }
    if (isOneadmin(session) && changes && !isFree) {
      throw new Problem(`${file}: ${what}: oneadmin may do too much for a test; --allow-oneadmin lets it`);
    }
  }
}
