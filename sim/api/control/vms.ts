/** `/_onesim/vms`: the virtual machines behind what the other APIs show, and why each is as it is. */
import { Hono } from 'hono';
import { fits } from '../../kernel/pattern.ts';
import { nameOfProfile, PROFILE_NAMES } from '../../metrics/profile.ts';
import type { Cloud } from '../../one/cloud.ts';
import { contextScript } from '../../one/vm/context.ts';
import { isActive } from '../../one/vm/lifecycle.ts';
import { hostOf } from '../../one/vm/placement.ts';
import type { Vm } from '../../one/vm/vm.ts';
import type { Controlled } from './controlled.ts';
import { type EntryAnswer, entryAnswer } from './entry.ts';
import { Conflict, count, jsonOf, NotFound, object, oneOf, shortened } from './request.ts';

/** A VM, as it is. */
export interface VmAnswer {
  readonly id: number;
  readonly name: string;
  readonly user: string;
  readonly group: string;
  /** OpenNebula's two names of its state. */
  readonly state: string;
  readonly lcmState: string;
  readonly host: string | null;
  readonly cpu: number;
  readonly vcpu: number | null;
  readonly memoryMiB: number;
  /** Of its NICs, in their order. */
  readonly addresses: readonly string[];
}

/** A VM's states, and how it came to each. */
export interface VmHistory {
  readonly id: number;
  readonly state: string;
  readonly lcmState: string;
  /** What happened to it, oldest first, each with what led to it, latest first. */
  readonly history: readonly { readonly entry: EntryAnswer; readonly because: readonly EntryAnswer[] }[];
}

export function vmRoutes({ cloud, journal, maxBodyBytes }: Controlled): Hono {
  const vmOf = (id: string): Vm => {
    const vm = /^\d+$/.test(id) ? cloud.vms.find(Number(id)) : undefined;
    if (vm === undefined) throw new NotFound(`There is no VM ${shortened(id)}`);
    return vm;
  };

  return new Hono()
    .get('/vms', (c) => {
      object(c.req.query(), 'The query', ['after', 'limit', 'state', 'name'], []);
      const after = count(c.req.query('after'), 'after', 0, Number.MAX_SAFE_INTEGER, -1);
      const limit = count(c.req.query('limit'), 'limit', 1, 10_000, 100);
      const { state = '*', name = '*' } = c.req.query();
      const vms: Vm[] = [];
      for (const vm of cloud.vms) {
        if (vm.id > after && fits(state, vm.state) && fits(name, vm.name)) vms.push(vm);
        if (vms.length === limit) break;
      }
      return c.json({ vms: vms.map((vm) => vmAnswer(cloud, vm)), next: vms.at(-1)?.id ?? null });
    })
    .get('/vms/:id', (c) => c.json(vmAnswer(cloud, vmOf(c.req.param('id')))))
    .get('/vms/:id/history', (c) => {
      const vm = vmOf(c.req.param('id'));
      const subject = `vm/${vm.id}`;
      const history = [...journal.since()]
        .filter((entry) => entry.subject === subject)
        .map((entry) => ({ entry: entryAnswer(entry), because: journal.why(entry.cause).map(entryAnswer) }));
      return c.json({ id: vm.id, ...states(vm), history } satisfies VmHistory);
    })
    .get('/vms/:id/profile', (c) => c.json(profileAnswer(vmOf(c.req.param('id')))))
    .put('/vms/:id/profile', async (c) => {
      const vm = vmOf(c.req.param('id'));
      const { profile } = object(await jsonOf(c.req.raw, maxBodyBytes), 'The body', ['profile'], ['profile']);
      const text = `METRIC_PROFILE=${oneOf(profile, 'profile', PROFILE_NAMES)}`;
      if (vm.state === 'DONE') throw new Conflict(`VM ${vm.id} is done`);
      // It is an attribute like others, so that what ran before goes by what it said then.
      cloud.run(cloud.root, 'one.vm.update', vm.id, text, APPEND);
      return c.json(profileAnswer(vm));
    })
    .get('/vms/:id/context.sh', (c) => {
      const vm = vmOf(c.req.param('id'));
      if (vm.context === null) throw new NotFound(`VM ${vm.id} has no CONTEXT`);
      return c.text(contextScript(cloud, vm));
    });
}

/** Of an update that adds to what is there. */
const APPEND = 1;

/** How the load of a VM behaves from now on. */
const profileAnswer = (vm: Vm): { id: number; profile: string } => ({
  id: vm.id,
  profile: nameOfProfile(vm.userTemplate.get('METRIC_PROFILE')),
});

/** OpenNebula's two names of a state. */
const states = (vm: Vm): { state: string; lcmState: string } =>
  isActive(vm.state) ? { state: 'ACTIVE', lcmState: vm.state } : { state: vm.state, lcmState: 'LCM_INIT' };

function vmAnswer(cloud: Cloud, vm: Vm): VmAnswer {
  return {
    id: vm.id,
    name: vm.name,
    user: cloud.users.find(vm.uid)?.name ?? '',
    group: cloud.groups.find(vm.gid)?.name ?? '',
    ...states(vm),
    host: hostOf(cloud, vm)?.name ?? null,
    cpu: vm.cpu,
    vcpu: vm.vcpu,
    memoryMiB: vm.memoryMiB,
    addresses: vm.nics.map((nic) => nic.ip ?? nic.ip6Global ?? nic.ip6Ula ?? ''),
  };
}
