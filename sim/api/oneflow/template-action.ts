/**
 * The actions of a service template that give no answer of their own, by the name in the request. Mirrors
 * `POST /service_template/:id/action` of OneFlow 6.10, which does not look at what oned says to them.
 */

import type { Caller } from '../../one/access/user.ts';
import type { Cloud } from '../../one/cloud.ts';
import { FlowError } from '../../one/flow/flow-error.ts';
import type { Json } from '../../one/flow/json.ts';
import { attempt } from '../../one/flow/role.ts';
import { modesOf, updateServiceTemplate } from '../../one/flow/service-template.ts';
import { ParserError } from '../ruby-json.ts';
import type { Action } from './action.ts';
import { at, isTruthy, readJson, toInteger, toText } from './ruby-value.ts';

/** Tells whether the action was one, and had what it needs. */
type Perform = (cloud: Cloud, caller: Caller, id: number, params: Json) => boolean;

const ACTIONS: Readonly<Record<string, Perform>> = {
  chown(cloud, caller, id, params) {
    const uid = at(params, 'owner_id');
    if (!isTruthy(uid)) return false;
    attempt(() => cloud.run(caller, 'one.document.chown', id, toInteger(uid), toInteger(at(params, 'group_id'))));
    return true;
  },
  chgrp(cloud, caller, id, params) {
    const gid = at(params, 'group_id');
    if (!isTruthy(gid)) return false;
    attempt(() => cloud.run(caller, 'one.document.chown', id, -1, toInteger(gid)));
    return true;
  },
  chmod(cloud, caller, id, params) {
    const octet = at(params, 'octet');
    if (!isTruthy(octet)) return false;
    attempt(() => cloud.run(caller, 'one.document.chmod', id, ...modesOf(toText(octet))));
    return true;
  },
  rename(cloud, caller, id, params) {
    attempt(() => cloud.run(caller, 'one.document.rename', id, toText(at(params, 'name'))));
    return true;
  },
  update(cloud, caller, id, params) {
    const append = at(params, 'append') === true;
    const json = at(params, 'template_json');
    const raw = at(params, 'template_raw');
    if (isTruthy(json)) {
      const problem = attempt(() => updateServiceTemplate(cloud, caller, id, () => read(toText(json)), append));
      // What the schema or the parser has against it is told; what oned has is not.
      if (problem instanceof FlowError && problem.status === 400) throw problem;
      return true;
    }
    if (!isTruthy(raw)) return false;
    attempt(() => cloud.run(caller, 'one.document.update', id, toText(raw), append ? 1 : 0));
    return true;
  },
};

function read(source: string): Json {
  try {
    return readJson(source);
  } catch (error) {
    if (error instanceof ParserError) throw new FlowError(400, error.message);
    throw error;
  }
}

export function templateAction(cloud: Cloud, caller: Caller, id: number, { perform, params }: Action): boolean {
  const name = toText(perform);
  return Object.hasOwn(ACTIONS, name) && (ACTIONS[name]?.(cloud, caller, id, params ?? {}) ?? false);
}
