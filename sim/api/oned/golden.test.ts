/** What a real oned answered, call by call. The cloud that answers here was made over the wire. */
import { describe, expect, it } from 'vitest';
import { furnishedCloud } from '../../one/testing.ts';
import type { State } from '../../one/vm/lifecycle.ts';
import { sceneIn } from '../../one/vm/scene.ts';
import { furnishedWire, furnishServiceTemplates, type Recording, recordings, Wire } from './recorded.ts';
import { decodeAnswer } from './xmlrpc.ts';

const CALLS = recordings('xmlrpc.ndjson');
const TESTER = 'tester:testerpass';

// ---- what is not reproduced ---------------------------------------------------------------------------------------

const CHANCE = 'the dummy drivers report chance numbers';
const SETTINGS = 'settings of parts that are not there; those that are there are compared below';
const NOT_REPRODUCED: Readonly<Record<string, string>> = {
  err_type_int_for_bool: `${CHANCE}, and the VM was made by a service`,
  'host.monitoring': CHANCE,
  'vmpool.monitoring': CHANCE,
  'vmpool.info_range': 'shows VMs that services made and ended before',
  listMethods: 'methods that are not there; those that are there are compared below',
  methodHelp: 'oned has a sentence for each method, and we for none',
  'system.config_admin': SETTINGS,
  'system.config_user': SETTINGS,
};

// ---- in which order they were made --------------------------------------------------------------------------------

const DOCUMENTS = [
  'document.allocate',
  'document.allocate_noname',
  'document.allocate_dupname',
  'document.allocate_badname',
  'document.allocate_badsyntax',
  'document.allocate_badxml',
  'document.allocate_longname',
  'document.clone',
  'document.update_replace',
  'document.update_append',
  'document.info_after_update',
  'document.update_bad',
  'document.update_badtype',
  'document.update_missing',
  'document.update_other',
  'document.info_after_badtype',
  'document.rename',
  'document.rename_empty',
  'document.rename_long',
  'document.rename_missing',
  'document.rename_other',
  'document.rename_same',
  'document.rename_xml',
  'document.chmod_bad',
  'document.chmod_adm',
  'document.chmod_other',
  'document.chown',
  'document.chown_user',
  'document.chown_back',
];
const LOCKED_DOCUMENT = [
  'document.lock_again',
  'document.lock_badlevel',
  'document.info_locked',
  'document.update_locked',
  'document.delete_locked',
  'document.unlock',
  'document.unlock_again',
  'document.delete_other',
  'document.delete',
  'document.delete_again',
  'document.info_deleted',
];

const NEW_VMS = [
  'template.instantiate_ok',
  'template.instantiate_hold',
  'template.instantiate_extra',
  'template.instantiate_cpu_over_max',
  'template.instantiate_mem_nan_max',
  'vm.info_noflag',
  'vm.info_decrypt',
  'vm.info_other',
  'vmpool.info_2',
  'vmpool.info_3',
  'vmpool.info_m1',
  'vmpool.info_m2',
  'vmpool.info_m3',
  'vmpool.info_m4',
  'vmpool.info_state_pending',
  'vmpool.infoextended',
  'vmpool.infoset',
  'vmpool.infoset_short',
  'vm.resize_pending',
  'vm.deploy_nohost',
  'vm.deploy_user',
];
/** Of the VM once it runs; each is given the time that it takes. */
const RUNNING_VM = [
  'vm.info_RUNNING_user',
  'vm.resize_badtmpl',
  'vm.resize_cpuneg',
  'vm.resize_empty',
  'vm.resize_huge_mem',
  'vm.resize_memneg',
  'vm.resize_other',
  'vm.resize_other_attr',
  'vm.resize_vcpuneg',
  'vm.resize_mem_float',
  'vm.resize_xml',
  'vm.resize_over_vcpu_max',
  'vm.resize_noenforce',
  'vm.diskresize_context',
  'vm.diskresize_empty',
  'vm.diskresize_float',
  'vm.diskresize_int_size',
  'vm.diskresize_missing',
  'vm.diskresize_neg',
  'vm.diskresize_other',
  'vm.diskresize_same',
  'vm.diskresize_smaller',
  'vm.diskresize_text',
  'vm.diskresize_ok',
  'host.info_used',
  'image.info_used',
  'vm.update_append',
  'vm.update_bad',
  'vm.update_badtype',
  'vm.update_missing',
  'vm.update_replace',
  'vm.info_after_update',
  'vm.update_cpu_in_user_template',
  'vm.update_device_info',
  'vm.info_after_update2',
  'vm.rename',
  'vm.rename_empty',
  'vm.rename_long',
  'vm.chmod',
  'vm.chown_user',
  'vm.info_other_after_chmod',
  'vm.action_other_use',
  'vm.lock',
  'vm.info_locked',
  'vm.action_locked',
  'vm.unlock',
  'vm.recover_1arg',
  'vm.recover_neg',
  'vm.recover_missing',
  'vm.resize_missing',
  'vm.attachnic_missing',
  'vm.allocate_nomem',
  'vm.allocate_user',
  'vm.updateconf',
  'vm.snapshotcreate',
];

const ORDERED: readonly string[] = [...DOCUMENTS, ...LOCKED_DOCUMENT, ...NEW_VMS, ...RUNNING_VM];

/** All the others change nothing, so that their order does not matter. */
const STILL = [...CALLS.keys()].filter((name) => !(name in NOT_REPRODUCED) && !ORDERED.includes(name));

async function expectSame(wire: Wire, name: string, adapt = (text: string): string => text): Promise<void> {
  const recording = CALLS.get(name);
  if (recording === undefined) throw new Error(`there is no recording of ${name}`);
  const { answered, recorded } = await wire.play(recording);
  const shown = ({ body, ...rest }: typeof answered) => ({ ...rest, body: adapt(body) });
  expect.soft(shown(answered), name).toEqual(shown(recorded));
}

/** What the dummy probe tells of a machine that it makes up, and what it measures there. */
const withoutHardware = (body: string): string =>
  body
    .replace(/(&lt;(PCI_DEVICES|NUMA_NODES)&gt;).*?(&lt;\/\2&gt;)/g, '$1$3')
    .replace(/&lt;(ARCH|CPUSPEED|KVM_CPU_FEATURES|KVM_CPU_MODELS|MODELNAME)&gt;.*?&lt;\/\1&gt;/g, '')
    .replace(/&lt;MONITORING&gt;.*?&lt;\/MONITORING&gt;/g, '&lt;MONITORING/&gt;');

const adaptation = (name: string) => (name.startsWith('host') ? withoutHardware : undefined);

/** A VM of tester's with a recorded id, on a host. */
async function deployed(wire: Wire, recordedId: number, name: string, host: number, extra = ''): Promise<number> {
  const id = Number(await wire.call(TESTER, 'one.template.instantiate', 0, name, false, extra));
  wire.vms.set(recordedId, id);
  await wire.admin('one.vm.deploy', id, host);
  until(wire, id, 'RUNNING');
  return id;
}

function until({ cloud }: Wire, id: number, state: State): void {
  for (let events = 0; cloud.vms.get(id).state !== state; events++) {
    if (events > 50) throw new Error(`VM ${id} is ${cloud.vms.get(id).state}, not ${state}`);
    cloud.clock.advanceNow((cloud.clock.nextDue ?? cloud.clock.now) - cloud.clock.now);
  }
}

describe('a call that was recorded', () => {
  it('changes nothing', async () => {
    const wire = await furnishedWire();
    await furnishServiceTemplates(wire, CALLS.get('documentpool.info_101') as Recording);
    for (const template of [0, 11, 12]) {
      const id = Number(await wire.call(TESTER, 'one.template.instantiate', template, '', true, ''));
      await wire.call(TESTER, 'one.vm.action', 'terminate', id);
    }
    // The probes of the hosts had been there more than a minute before.
    wire.cloud.clock.advanceNow(90_000);
    for (const name of STILL) await expectSame(wire, name, adaptation(name));
  });

  it('works on a document', async () => {
    const wire = await furnishedWire();
    for (const name of DOCUMENTS) await expectSame(wire, name);
    const id = wire.documents.get(201) ?? -1;
    await wire.call(TESTER, 'one.document.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    await wire.call(TESTER, 'one.document.lock', id, 1);
    for (const name of LOCKED_DOCUMENT) await expectSame(wire, name);
  });

  it('works on VMs', async () => {
    const wire = await furnishedWire();
    const { cloud } = wire;
    // Those that were left of what was done before.
    const failed = await deployed(wire, 252, 'FAAS_0_(service_233)', 1, 'SERVICE_ID=233 ROLE_NAME=FAAS');
    const said = 'ERROR MESSAGE --8<------ Scripted dummy delete failure ERROR MESSAGE ------>8--';
    cloud.judge.arm({ selector: { layer: 'vm', action: 'epilog' }, effect: { do: 'fail', message: said } });
    await wire.call(TESTER, 'one.vm.action', 'terminate', failed);
    until(wire, failed, 'EPILOG_FAILURE');
    cloud.judge.disarmAll();
    for (let recorded = 362; recorded <= 366; recorded++) {
      const id = await deployed(wire, recorded, 'vmx', 0);
      await wire.call(TESTER, 'one.vm.action', 'suspend', id);
      until(wire, id, 'SUSPENDED');
    }
    for (const name of NEW_VMS) {
      await expectSame(wire, name);
      if (name === 'template.instantiate_ok') {
        wire.vms.set(465, Number(await wire.call(TESTER, 'one.template.instantiate', 0, '', false, '')));
      }
    }
    const id = wire.vms.get(464) ?? -1;
    await wire.admin('one.vm.deploy', id, 0);
    await wire.admin('one.host.status', 0, 1);
    for (const name of RUNNING_VM) {
      until(wire, id, 'RUNNING');
      await expectSame(wire, name, adaptation(name));
      // Two more that change nothing, of which there is no recording.
      if (name === 'vm.resize_empty') {
        for (const text of ['MEMORY=abc', 'CPU=0']) await wire.call(TESTER, 'one.vm.resize', id, text, true);
      }
    }
  });

  it('is one of those, or there is a reason', () => {
    const reproduced = [...STILL, ...ORDERED];
    expect(new Set(reproduced).size).toBe(reproduced.length);
    const missing = [...CALLS.keys()].filter((name) => !reproduced.includes(name));
    expect(missing.sort()).toEqual(Object.keys(NOT_REPRODUCED).sort());
  });
});

describe('of the lists that are longer on a real oned', () => {
  const shown = (name: string) => decodeAnswer(CALLS.get(name)?.response.body ?? '');

  it('system.listMethods has ours in the same order', async () => {
    const ours = await systemMethods();
    const theirs = shown('listMethods') as string[];
    expect(ours).toEqual(theirs.filter((method) => ours.includes(method)));
  });

  it('one.system.config has ours word for word', async () => {
    const wire = await furnishedWire();
    const attributes = (text: unknown) => String(text).match(/<(\w+)>(?:<!\[CDATA\[.*?\]\]>|<.*?>)<\/\1>/g) ?? [];
    const [, config] = shown('system.config_user') as string[];
    const ours = attributes(String(await wire.call(TESTER, 'one.system.config')).slice(27));
    expect(ours.length).toBeGreaterThan(10);
    for (const attribute of ours) expect(config).toContain(attribute);
  });
});

async function systemMethods(): Promise<string[]> {
  const wire = new Wire();
  const body = '<methodCall><methodName>system.listMethods</methodName></methodCall>';
  return decodeAnswer(await (await wire.send('POST', '/RPC2', body)).text()) as string[];
}

// ---- by state of a VM ---------------------------------------------------------------------------------------------

describe('one.vm.info of a VM in', () => {
  for (const [name, recording] of recordings('xmlrpc-vm-states.ndjson')) {
    const state = name.replace('vm.info_', '');
    it(state, async () => {
      const wire = await furnishedWire();
      const { vm } = sceneIn(wire.cloud, state);
      wire.vms.set(Number(recording.rpc.args[0]), vm.id);
      const { answered, recorded } = await wire.play(recording);
      const shown = ({ body, ...rest }: typeof answered) => ({ ...rest, body: unscheduled(body) });
      expect(shown(answered)).toEqual(shown(recorded));
    });
  }
});

/** The scheduler had looked at the VM, and found its hosts disabled. */
const unscheduled = (body: string): string => body.replace(/&lt;SCHED_MESSAGE&gt;.*?&lt;\/SCHED_MESSAGE&gt;/g, '');

describe('each operation in each state', () => {
  const all = [...recordings('xmlrpc-vm-ops.ndjson').values()];
  const stateOf = ({ case: name }: Recording): string => name.split('__')[0] ?? '';
  for (const state of new Set(all.map(stateOf))) {
    it(state, async () => {
      for (const recording of all.filter((each) => stateOf(each) === state)) {
        const wire = new Wire(furnishedCloud());
        const { vm } = sceneIn(wire.cloud, state);
        wire.vms.set(vmIdOf(recording), vm.id);
        const { answered, recorded } = await wire.play(recording);
        expect.soft(answered, recording.case).toEqual(recorded);
      }
    });
  }
});

/** `one.vm.action` has the action in front of the id. */
function vmIdOf({ rpc }: Recording): number {
  return Number(rpc.args.find((arg) => typeof arg === 'number'));
}
