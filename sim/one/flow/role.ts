/** What OneFlow does with the VMs of one role, on behalf of a caller. Mirrors `role.rb` of OneFlow 6.10. */

import type { Caller } from '../access/user.ts';
import { appended } from '../appended.ts';
import type { Cloud } from '../cloud.ts';
import { Template, templateText } from '../syntax/syntax.ts';
import { failureOf } from '../vm/lifecycle.ts';
import { nicAttributes } from '../vm/nic.ts';
import type { Vm } from '../vm/vm.ts';
import { type FlowError, passedOn } from './flow-error.ts';
import { log, type Node, nodeIds, parentsOf, type Role, roleNamed, type Service } from './service.ts';

/** Who does it, where, and for which service. */
export interface Act {
  readonly cloud: Cloud;
  readonly caller: Caller;
  readonly service: Service;
}

/** The VMs to wait for; or why the role failed, in the words of the answer. The log entry is written already. */
export type Outcome = { readonly nodes: number[] } | { readonly failure: string };

const DONE_STATE = 5;
const SHUTDOWN_ACTION = 'terminate';
const RETRY = 2;
const DELETE = 3;

/** More VMs than anybody means to have in one role; without a bound a number with many digits would fill the memory. */
const MOST_VMS = 10_000;

/** Creates the VMs that are missing. Those made before one fails stay. */
export function deployRole(act: Act, role: Role): Outcome {
  const missing = role.cardinality - role.nodes.length;
  if (missing === 0) return { nodes: [] };
  const { cloud, caller, service } = act;
  const number = (): number => (typeof role.last_vmname === 'number' ? role.last_vmname : 0);
  role.last_vmname = number();
  const templateId = role.vm_template;
  if (role.cardinality > MOST_VMS) {
    complain(act, `Role ${role.name} : Instantiate failed for template ${templateId}; more than ${MOST_VMS} VMs`);
    return { failure: `Role ${role.name} is to have more than ${MOST_VMS} VMs` };
  }
  const extra = extraTemplate(act, role);
  if (typeof extra === 'object' && 'failure' in extra) return extra;
  const nodes: number[] = [];
  for (let i = 0; i < missing; i++) {
    const name = `${role.name}_${number()}_(service_${service.id})`;
    role.last_vmname = number() + 1;
    const id = attempt(() => cloud.run(caller, 'one.template.instantiate', templateId, name, role.on_hold, extra));
    if (typeof id !== 'number') {
      complain(act, `Role ${role.name} : Instantiate failed for template ${templateId}; ${id.message}`);
      return {
        failure: `Error instantiating VM Template ${templateId} in Role ${role.name}: ${id.message}`,
      };
    }
    nodes.push(id);
    role.nodes = appended(role.nodes, nodeOf(cloud, cloud.vms.get(id)));
  }
  return { nodes };
}

function nodeOf(cloud: Cloud, vm: Vm): Node {
  const UNAME = cloud.users.find(vm.uid)?.name ?? '';
  const GNAME = cloud.groups.find(vm.gid)?.name ?? '';
  const { id, uid, gid, name } = vm;
  return {
    deploy_id: id,
    vm_info: {
      VM: {
        ID: String(id),
        UID: String(uid),
        GID: String(gid),
        UNAME,
        GNAME,
        NAME: name,
      },
    },
  };
}

/** What is given to the VM template: the role's contents, and where the VM belongs. */
function extraTemplate(act: Act, role: Role): string | Template | { failure: string } {
  const { cloud, caller, service } = act;
  let contents = typeof role.vm_template_contents === 'string' ? role.vm_template_contents : '';
  const appended = contents.includes('APPEND') ? /^\s*APPEND="?(.*?)"?\s*$/m.exec(contents)?.[1]?.split(',') : [];
  if (appended?.some((name) => name !== '')) {
    const id = role.vm_template;
    const template = attempt(() => cloud.run(caller, 'one.template.info', id));
    if ('status' in template) {
      complain(act, `Role ${role.name} : Info template ${id}; ${template.message}`);
      return {
        failure: `Error fetching Info to instantiate VM Template ${id} in Role ${role.name}: ${template.message}`,
      };
    }
    const kept = new Template([...template.template].filter(({ name }) => appended.includes(name)));
    contents = `${templateText(kept)}\n${contents}`;
  }
  const given = fillIn(act, role, contents);
  const belonging = new Template([
    { name: 'ROLE_NAME', value: role.name },
    { name: 'SERVICE_ID', value: String(service.id) },
  ]);
  const whole = (): string =>
    `${given}\n${fillIn(act, role, `SERVICE_ID = ${service.id}\nROLE_NAME = "${role.name}"`)}`;
  return Template.continued(given, belonging) ?? whole();
}

/** `${PARENT.a.b}` is what the first VM of that parent has at the path `//A/B`, and nothing where there is none. */
function fillIn({ cloud, service }: Act, role: Role, text: string): string {
  if (!text.includes('${')) return text;
  return text.replace(/\$\{(.*?)\}/g, (_all, reference: string) => {
    const [parent = '', ...names] = reference.split('.');
    const path = names.map((name) => name.toUpperCase());
    if (!parentsOf(role).includes(parent)) return '';
    for (const id of nodeIds(roleNamed(service, parent) ?? { ...role, nodes: [] })) {
      const vm = cloud.vms.find(id);
      const value = vm && found(cloud, vm, path);
      if (value !== undefined) return value;
    }
    return '';
  });
}

/** The text at the XPath `//A/B` of a VM's document, as far as it is one of its attributes or of its first NIC's. */
function found(cloud: Cloud, vm: Vm, path: readonly string[]): string | undefined {
  const [first = '', second] = path.filter((name) => name !== 'TEMPLATE' && name !== 'USER_TEMPLATE');
  const [nic] = vm.nics;
  const attributes = new Map(nic === undefined ? [] : nicAttributes(cloud, vm, nic));
  if (second === undefined) {
    const { id, uid, gid, name, cpu, vcpu, memoryMiB } = vm;
    const fields = { ID: id, UID: uid, GID: gid, NAME: name, CPU: cpu, VCPU: vcpu ?? undefined, MEMORY: memoryMiB };
    const field = new Map<string, string | number | undefined>(Object.entries(fields)).get(first);
    return field?.toString() ?? vm.template.get(first) ?? attributes.get(first) ?? vm.userTemplate.get(first);
  }
  if (first === 'NIC') return attributes.get(second);
  const vector = first === 'CONTEXT' ? vm.context : (vm.template.vector(first) ?? vm.userTemplate.vector(first));
  return vector?.get(second);
}

/**
 * Shuts the role's VMs down, or as many as it has too many, oldest first. With fewer VMs than it should have it leaves
 * as many of its last ones alone as are missing, as OneFlow does.
 */
export function shutdownRole(act: Act, role: Role, recover = false): Outcome {
  const { cloud, caller, service } = act;
  const surplus = role.nodes.length - role.cardinality;
  const chosen = nodeIds(role).slice(0, surplus === 0 ? undefined : surplus);
  const action = role.shutdown_action ?? service.body.shutdown_action ?? SHUTDOWN_ACTION;
  const hard = action === 'terminate-hard';
  const nodes: number[] = [];
  let failed = false;
  for (const id of chosen) {
    const vm = cloud.vms.find(id);
    const retry = recover && vm !== undefined && failureOf(vm.state) !== undefined;
    const first = attempt(() =>
      retry
        ? cloud.run(caller, 'one.vm.recover', id, RETRY)
        : cloud.run(caller, 'one.vm.action', hard ? 'terminate-hard' : 'terminate', id),
    );
    if (typeof first === 'number') {
      nodes.push(id);
      continue;
    }
    complain(act, `Role ${role.name} : Terminate failed for VM ${id}, will perform a Delete; ${first.message}`);
    let last: number | FlowError = first;
    if (!hard) last = attempt(() => cloud.run(caller, 'one.vm.action', 'terminate-hard', id));
    if (typeof last !== 'number') last = attempt(() => cloud.run(caller, 'one.vm.recover', id, DELETE));
    if (typeof last === 'number') {
      nodes.push(id);
    } else {
      complain(act, `Role ${role.name} : Delete failed for VM ${id}; ${last.message}`);
      failed = true;
    }
  }
  return failed ? { failure: `Error undeploying nodes for role \`${role.name}\`` } : { nodes };
}

/** Releases what is on hold. What cannot be released fails the role, but the others are released all the same. */
export function releaseRole(act: Act, role: Role): Outcome {
  const { cloud, caller } = act;
  const nodes: number[] = [];
  let failed = false;
  for (const id of nodeIds(role)) {
    const released = attempt(() => cloud.run(caller, 'one.vm.action', 'release', id));
    if (typeof released === 'number') {
      nodes.push(id);
    } else {
      complain(act, `Role ${role.name}: Release failed for VM ${id}, ${released.message}`);
      failed = true;
    }
  }
  return failed ? { failure: 'false' } : { nodes };
}

/** Retries what failed, resumes what does not run, creates what is missing. */
export function recoverDeployment(act: Act, role: Role): Outcome {
  const { cloud, caller, service } = act;
  const nodes: number[] = [];
  for (const id of nodeIds(role)) {
    const vm = attempt(() => cloud.run(caller, 'one.vm.info', id));
    if ('status' in vm) continue;
    if (vm.state === 'RUNNING' && service.body.ready_status_gate !== true) continue;
    if (failureOf(vm.state) === undefined) {
      attempt(() => cloud.run(caller, 'one.vm.action', 'resume', id));
      nodes.push(id);
      continue;
    }
    const retried = attempt(() => cloud.run(caller, 'one.vm.recover', id, RETRY));
    if (typeof retried === 'number') nodes.push(id);
    else complain(act, `Role ${role.name} : Retry failed for VM ${id}; ${retried.message}`);
  }
  const outcome = deployRole(act, role);
  return 'failure' in outcome ? outcome : { nodes: [...nodes, ...outcome.nodes] };
}

/** Gives the role's VMs to another owner. */
export function chownRole(act: Act, role: Role, uid: number, gid: number): FlowError | undefined {
  for (const id of nodeIds(role)) {
    const changed = attempt(() => act.cloud.run(act.caller, 'one.vm.chown', id, uid, gid));
    if (typeof changed === 'number') continue;
    complain(act, `Role ${role.name} : Chown failed for VM ${id}; ${changed.message}`);
    return changed;
  }
  return undefined;
}

/** An action on a role's VMs, some at a time. */
export interface Batch {
  readonly action: string;
  /** Seconds between two groups of VMs, and how many are in a group. */
  readonly period: number;
  readonly number: number;
  readonly args: string | undefined;
}

/** Adds a scheduled action to each of the role's VMs. */
export function scheduleRole(act: Act, role: Role, { action, period, number, args }: Batch): Outcome {
  if (role.state === DONE_STATE) return { failure: `Role ${role.name} is in DONE state` };
  const { cloud, caller } = act;
  for (const [i, id] of nodeIds(role).entries()) {
    const offset = period > 0 && number > 0 ? Math.floor(i / number) * period : 0;
    const given = args === undefined ? '' : `ARGS = "${args}",`;
    const text = `SCHED_ACTION = [ACTION = ${action},${given}TIME = ${cloud.seconds + offset}]`;
    // A refusal is not passed on, and its log entry not stored.
    attempt(() => cloud.run(caller, 'one.vm.schedadd', id, text));
  }
  return { nodes: [] };
}

function complain({ cloud, service }: Act, message: string): void {
  log(service, 'E', message, cloud.seconds);
}

/** What a call answers, or the refusal. */
export function attempt<T>(call: () => T): T | FlowError {
  try {
    return call();
  } catch (error) {
    return passedOn(error);
  }
}
