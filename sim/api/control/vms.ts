/** `/_onesim/vms`: the virtual machines behind what the other APIs show, and why each is as it is. */
import { Hono } from 'hono';
import type { Cloud } from '../../one/cloud.ts';
import { contextScript } from '../../one/vm/context.ts';
import { isActive } from '../../one/vm/lifecycle.ts';
import { hostOf } from '../../one/vm/placement.ts';
import type { Vm } from '../../one/vm/vm.ts';
import type { Controlled } from './controlled.ts';
import { entryAnswer } from './entry.ts';
import { NotFound, shortened } from './request.ts';

export function vmRoutes({ cloud, journal }: Controlled): Hono {
  const vmOf = (id: string): Vm => {
    const vm = /^\d+$/.test(id) ? cloud.vms.find(Number(id)) : undefined;
    if (vm === undefined) throw new NotFound(`There is no VM ${shortened(id)}`);
    return vm;
  };

  return new Hono()
    .get('/vms/:id', (c) => c.json(vmAnswer(cloud, vmOf(c.req.param('id')))))
    .get('/vms/:id/history', (c) => {
      const vm = vmOf(c.req.param('id'));
      const subject = `vm/${vm.id}`;
      const history = [...journal.since()]
        .filter((entry) => entry.subject === subject)
        .map((entry) => ({ entry: entryAnswer(entry), because: journal.why(entry.cause).map(entryAnswer) }));
      return c.json({ id: vm.id, ...states(vm), history });
    })
    .get('/vms/:id/context.sh', (c) => {
      const vm = vmOf(c.req.param('id'));
      if (vm.context === null) throw new NotFound(`VM ${vm.id} has no CONTEXT`);
      return c.text(contextScript(cloud, vm));
    });
}

/** OpenNebula's two names of a state. */
const states = (vm: Vm): { state: string; lcmState: string } =>
  isActive(vm.state) ? { state: 'ACTIVE', lcmState: vm.state } : { state: vm.state, lcmState: 'LCM_INIT' };

function vmAnswer(cloud: Cloud, vm: Vm): object {
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
