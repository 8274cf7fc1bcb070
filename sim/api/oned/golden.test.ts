/** What a real oned answered, call by call. The cloud that answers here was made over the wire. */
import { describe, expect, it } from 'vitest';
import { furnishedCloud } from '../../one/testing.ts';
import type { State } from '../../one/vm/lifecycle.ts';
import { sceneIn } from '../../one/vm/scene.ts';
import { furnishedWire, furnishServiceTemplates, type RecordedCall, recordings, Wire } from './recorded.ts';
import {
  adaptation,
  CALLS,
  DOCUMENTS,
  LOCKED_DOCUMENT,
  NEW_VMS,
  NOT_REPRODUCED,
  ORDERED,
  RUNNING_VM,
  STILL,
} from './recorded-calls.ts';
import { UNSIMULATED } from './unsimulated.ts';
import { decodeAnswer } from './xmlrpc.ts';

const TESTER = 'tester:testerpass';

async function expectSame(wire: Wire, name: string, adapt = (text: string): string => text): Promise<void> {
  const recording = CALLS.get(name);
  if (recording === undefined) throw new Error(`there is no recording of ${name}`);
  const { answered, recorded } = await wire.play(recording);
  const shown = ({ body, ...rest }: typeof answered) => ({ ...rest, body: adapt(body) });
  expect.soft(shown(answered), name).toEqual(shown(recorded));
}

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
    await furnishServiceTemplates(wire, CALLS.get('documentpool.info_101') as RecordedCall);
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
    cloud.judge.arm({ selector: { layer: 'vm', operation: 'epilog' }, effect: { do: 'fail', message: said } });
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
    expect([...UNSIMULATED]).toEqual(expect.arrayContaining(theirs.filter((method) => !ours.includes(method))));
    expect(UNSIMULATED.size).toBe(theirs.length - ours.length);
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
  const stateOf = ({ case: name }: RecordedCall): string => name.split('__')[0] ?? '';
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
function vmIdOf({ rpc }: RecordedCall): number {
  return Number(rpc.args.find((arg) => typeof arg === 'number'));
}
