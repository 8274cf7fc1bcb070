/** For tests: what was done to the cloud between two recordings. */
import { equal } from 'node:assert/strict';
import type { Effect } from '../../faults/schema.ts';
import { Unreachable } from '../../one/error.ts';
import { report } from '../../one/vm/monitoring.ts';
import type { Playback } from './recorded-playback.ts';

/** A recording's name; what happens between two; or several recordings in a situation of their own. */
export type Step = string | ((play: Playback) => unknown) | Together;

interface Together {
  readonly names: readonly string[];
  readonly run: (play: Playback) => Promise<void>;
}

export const TESTER = 'Basic dGVzdGVyOnRlc3RlcnBhc3M=';
export const ADMIN = 'Basic b25lYWRtaW46b3Blbm5lYnVsYQ==';

export const FAAS = '"FAAS":{"FLAVOUR":"Function","CPU":2,"MEMORY":128,"DISK_SIZE":1024}';
export const DAAS = '"DAAS":{"CPU":2,"MEMORY":128,"DISK_SIZE":1024,"FLAVOUR":"Data"}';

export interface Begun {
  readonly document: number;
  readonly service: number;
  readonly vm: number;
  readonly vm2?: number;
  readonly body?: string;
  readonly as?: string;
}

/** Creates a runtime whose creation was not recorded, under recorded ids. */
export const begin =
  ({ document, service, vm, vm2, body = FAAS, as = TESTER }: Begun) =>
  async (play: Playback): Promise<void> => {
    const headers = new Headers({ Authorization: as });
    const answer = await play.ask('POST', '/serverless-runtimes', headers, `{"SERVERLESS_RUNTIME":{${body}}}`);
    equal(answer.status, 201);
    const { ID, SERVICE_ID, FAAS: faas, DAAS: daas } = JSON.parse(await answer.text()).SERVERLESS_RUNTIME;
    play.same('document', document, ID);
    play.same('document', service, SERVICE_ID);
    play.same('vm', vm, faas.VM_ID);
    if (vm2 !== undefined) play.same('vm', vm2, daas.VM_ID);
  };

/** An update that was not recorded. */
export const put =
  (document: number, faas: string, rest = '') =>
  async (play: Playback): Promise<void> => {
    const path = `/serverless-runtimes/${play.id('document', document)}`;
    const body = `{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function",${faas}}${rest}}}`;
    const answer = await play.ask('PUT', path, new Headers({ Authorization: TESTER }), body);
    equal(answer.status, 200);
  };

export const settle = (play: Playback): Promise<void> => play.settle();

export const pass =
  (seconds: number): Step =>
  (play) =>
    play.cloud.clock.advance(seconds * 1000);

/** Has the driver do the next such action in this way. */
export const next =
  (action: string, effect: Effect<'vm'>): Step =>
  ({ cloud }) =>
    cloud.judge.arm({ selector: { layer: 'vm', operation: action }, trigger: { times: 1 }, effect });

export const FAIL: Effect<'vm'> = { do: 'fail', message: 'scripted failure' };
export const slow = (seconds: number): Effect<'vm'> => ({ do: 'delay', ms: seconds * 1000 });

/** An administrator does something to a VM, and it comes to its end. */
export const act =
  (vm: number, action: 'poweroff' | 'suspend' | 'stop' | 'undeploy' | 'resume' | 'terminate'): Step =>
  (play) => {
    play.cloud.run(play.cloud.root, 'one.vm.action', action, play.id('vm', vm));
    return play.settle();
  };

export const seen =
  (vm: number, state: Parameters<typeof report>[2]): Step =>
  (play) => {
    report(play.cloud, play.cloud.vms.get(play.id('vm', vm)), state);
    return play.settle();
  };

/** Permissions of others on a document or VM: use, manage. */
export const allow =
  (kind: 'document' | 'vm', recorded: number, use: 0 | 1, manage: 0 | 1): Step =>
  (play) => {
    const method = kind === 'vm' ? 'one.vm.chmod' : 'one.document.chmod';
    return play.cloud.run(play.cloud.root, method, play.id(kind, recorded), 1, 1, 0, 0, 0, 0, use, manage, 0);
  };

export const write =
  (recorded: number, text: string): Step =>
  (play) => {
    const id = play.cloud.call('tester:testerpass', 'one.document.allocate', text, 1337);
    play.same('document', recorded, id);
  };

/** Plays recordings while an earlier one waits for a driver. */
export const during = (waiting: string, vm: number, names: readonly string[]): Together => ({
  names: [waiting, ...names],
  async run(play) {
    const answered = play.expect(waiting);
    await play.until(() => play.cloud.vms.get(play.id('vm', vm)).state === 'HOTPLUG_RESIZE');
    for (const name of names) await play.expect(name);
    await answered;
  },
});

const refused = (port: number): Unreachable =>
  new Unreachable(
    `Failed to open TCP connection to localhost:${port} (Connection refused - connect(2) for 127.0.0.1:${port})`,
  );

/** Has a server not listen while recordings are played. */
export const down = (server: 'oned' | 'OneFlow', names: readonly string[]): Together => ({
  names,
  async run(play) {
    const fail = () => {
      throw refused(server === 'oned' ? 2633 : 2474);
    };
    const { cloud } = play;
    const [at, doors] =
      server === 'OneFlow' ? [cloud.flow, ['authenticate']] : [cloud, ['call', 'run', 'authenticate']];
    for (const door of doors) Object.assign(at, { [door]: fail });
    for (const name of names) await play.expect(name);
    for (const door of doors) Reflect.deleteProperty(at, door);
  },
});

/** OneFlow needs so long for its answer that the VM has run, or failed, by the time the engine looks at it. */
export const lateLook: Step = ({ cloud }) => {
  const { flow } = cloud;
  const instantiate = flow.instantiate.bind(flow);
  flow.instantiate = (...args) => {
    Reflect.deleteProperty(flow, 'instantiate');
    const instantiated = instantiate(...args);
    cloud.clock.advanceNow(10_000);
    return instantiated;
  };
};

export const hosts =
  (status: 0 | 1): Step =>
  ({ cloud }) => {
    for (const { id } of cloud.hosts) cloud.run(cloud.root, 'one.host.status', id, status);
  };
