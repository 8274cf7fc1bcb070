/** What OneFlow does to roles: what they become while it is under way, what is waited for, and what a failure leaves. One row an undertaking. */
import { type Act, deployRole, type Outcome, releaseRole, shutdownRole } from './role.ts';
import type { Role, RoleState } from './service.ts';
import type { Purpose } from './service-wait.ts';

/** What a role and its service become when its VMs are waited for, and when that cannot be. */
export interface Course {
  readonly doing: 'DEPLOYING' | 'UNDEPLOYING' | 'SCALING';
  readonly failing: 'FAILED_DEPLOYING' | 'FAILED_UNDEPLOYING' | 'FAILED_SCALING';
  readonly verb: 'deploying' | 'undeploying' | 'releasing';
  readonly purpose: Purpose;
  readonly act: (act: Act, role: Role) => Outcome;
}

const up = {
  doing: 'DEPLOYING',
  failing: 'FAILED_DEPLOYING',
  verb: 'deploying',
  act: deployRole,
} as const;
const down = {
  doing: 'UNDEPLOYING',
  failing: 'FAILED_UNDEPLOYING',
  verb: 'undeploying',
  act: shutdownRole,
} as const;
const scaling = { doing: 'SCALING', failing: 'FAILED_SCALING' } as const;

export const COURSES = {
  deploy: { ...up, purpose: 'deploy' },
  add: { ...up, purpose: 'add' },
  undeploy: { ...down, purpose: 'undeploy' },
  remove: { ...down, purpose: 'remove' },
  scaleUp: { ...up, ...scaling, purpose: 'scaleUp' },
  scaleDown: { ...down, ...scaling, purpose: 'scaleDown' },
  release: { ...up, verb: 'releasing', purpose: 'release', act: releaseRole },
  /** Roles that are released because their parents run now. */
  releaseNext: {
    ...up,
    verb: 'releasing',
    purpose: 'deploy',
    act: releaseRole,
  },
} as const satisfies Record<string, Course>;

/** What a failed wait makes of the role and the service. */
export const FAILURES = {
  deploy: 'FAILED_DEPLOYING',
  release: 'FAILED_DEPLOYING',
  add: 'FAILED_DEPLOYING',
  scaleUp: 'FAILED_SCALING',
  undeploy: 'FAILED_UNDEPLOYING',
  remove: 'FAILED_UNDEPLOYING',
  scaleDown: 'FAILED_SCALING',
} as const satisfies Partial<Record<Purpose, RoleState>>;
