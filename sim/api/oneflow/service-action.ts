/** The actions of a service, by the name in the request. Mirrors `POST /service/:id/action` of OneFlow 6.10. */

import type { Caller } from '../../one/access/user.ts';
import type { Flow } from '../../one/flow/flow.ts';
import { FlowError } from '../../one/flow/flow-error.ts';
import type { Json } from '../../one/flow/json.ts';
import type { Batch } from '../../one/flow/role.ts';
import type { Action } from './action.ts';
import { at, isTruthy, toInteger, toText } from './ruby-value.ts';

/** Actions on VMs that can be scheduled. */
const SCHEDULABLE: ReadonlySet<string> = new Set([
  'terminate',
  'terminate-hard',
  'undeploy',
  'undeploy-hard',
  'hold',
  'stop',
  'suspend',
  'resume',
  'reboot',
  'reboot-hard',
  'poweroff',
  'poweroff-hard',
  'snapshot-create',
  'snapshot-revert',
  'snapshot-delete',
  'disk-snapshot-create',
  'disk-snapshot-revert',
  'disk-snapshot-delete',
]);

type Perform = (flow: Flow, caller: Caller, id: number, params: Json | undefined) => void;

const ACTIONS: Readonly<Record<string, Perform>> = {
  recover: (flow, caller, id, params) =>
    flow.recover(caller, id, { delete: isTruthy(params) && isTruthy(at(params, 'delete')) }),
  chown(flow, caller, id, params) {
    const uid = required(params, 'owner_id', 'chown: You have to specify a UID');
    flow.chown(caller, id, toInteger(uid), toInteger(at(params, 'group_id') ?? -1));
  },
  chgrp(flow, caller, id, params) {
    flow.chown(caller, id, -1, toInteger(required(params, 'group_id', 'chgrp: You have to specify a GID')));
  },
  chmod(flow, caller, id, params) {
    flow.chmod(caller, id, toText(required(params, 'octet', 'chmod: You have to specify an OCTET')));
  },
  rename(flow, caller, id, params) {
    flow.rename(caller, id, toText(required(params, 'name', 'rename: You have to specify a name')));
  },
  release: (flow, caller, id) => flow.release(caller, id),
};

function required(params: Json | undefined, key: string, refusal: string): Json {
  const value = isTruthy(params) ? at(params, key) : undefined;
  if (value === undefined || !isTruthy(value)) throw new FlowError(500, `Action ${refusal}`);
  return value;
}

export function serviceAction(flow: Flow, caller: Caller, id: number, { perform, params }: Action): void {
  const name = toText(perform);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action !== undefined) {
    action(flow, caller, id, params);
  } else if (SCHEDULABLE.has(name)) {
    const line = "\n\n        opts['period'] ||= conf[:action_period]\n            ^^^^^^^^^^";
    flow.schedule(caller, id, scheduled(name, params, line));
  } else {
    throw new FlowError(500, `Action ${name} not supported`);
  }
}

/** OneFlow's defaults: one VM a minute. */
const PERIOD = 60;
const NUMBER = 1;

/** @param line what the exception quotes when there are no parameters at all */
export function scheduled(action: string, params: Json | undefined, line: string): Batch {
  const args = at(params, 'args', line);
  return {
    action,
    period: toInteger(at(params, 'period') ?? PERIOD),
    number: toInteger(at(params, 'number') ?? NUMBER),
    args: isTruthy(args) ? toText(args) : undefined,
  };
}
