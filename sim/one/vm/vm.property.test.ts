/** What holds of VMs and hosts whatever is called, in whatever order, whatever the drivers do. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Effect } from '../../faults/schema.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { addHost, setHostState } from '../resources/host.ts';
import { ADMIN_SESSION, freshCloud, furnishedCloud, TESTER } from '../testing.ts';
import { TIMINGS } from '../timing.ts';
import {
  ACTIONS,
  FAILURES,
  failureOf,
  GUEST_STATES,
  isActive,
  OPERATIONS,
  STATES,
  STEPS,
  type State,
  type Step,
} from './lifecycle.ts';
import { report } from './monitoring.ts';
import { limits } from './placement.ts';
import type { Vm } from './vm.ts';

vi.setConfig({ testTimeout: 30_000 });

const RUNS = { seed: 1, numRuns: 40 };

// ---- what may be done ---------------------------------------------------------------------------------------------

type Command =
  | { readonly do: 'create'; readonly extra: string; readonly hold: boolean }
  | { readonly do: 'action'; readonly name: string; readonly vm: number }
  | { readonly do: 'recover'; readonly operation: number; readonly vm: number }
  | {
      readonly do: 'migrate';
      readonly vm: number;
      readonly host: number;
      readonly live: boolean;
      readonly type: number;
    }
  | { readonly do: 'change'; readonly change: keyof typeof CHANGES; readonly vm: number; readonly n: number }
  | { readonly do: 'report'; readonly seen: Parameters<typeof report>[2]; readonly vm: number }
  | { readonly do: 'host'; readonly host: number; readonly state: 'MONITORED' | 'ERROR' | 'DISABLED' }
  | { readonly do: 'arm'; readonly action: string; readonly effect: Effect<'vm'>; readonly times: number }
  | { readonly do: 'disarm' }
  | { readonly do: 'advance'; readonly ms: number };

const CHANGES = {
  resize: (cloud: Cloud, id: number, n: number) =>
    cloud.call(TESTER, 'one.vm.resize', id, `CPU=${n / 4}\nVCPU=${n}`, true),
  grow: (cloud: Cloud, id: number, n: number) => cloud.call(TESTER, 'one.vm.diskresize', id, 0, String(200 + 10 * n)),
  attach: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.attach', id, 'DISK=[IMAGE_ID=0]'),
  detach: (cloud: Cloud, id: number, n: number) => cloud.call(TESTER, 'one.vm.detach', id, n),
  attachNic: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.attachnic', id, 'NIC=[NETWORK_ID=0]'),
  detachNic: (cloud: Cloud, id: number, n: number) => cloud.call(TESTER, 'one.vm.detachnic', id, n),
  snapshot: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.snapshotcreate', id, 's'),
  diskSnapshot: (cloud: Cloud, id: number) => cloud.call(TESTER, 'one.vm.disksnapshotcreate', id, 0, 's'),
  saveAs: (cloud: Cloud, id: number, n: number) => cloud.call(TESTER, 'one.vm.disksaveas', id, 0, `saved-${id}-${n}`),
  configure: (cloud: Cloud, id: number, n: number) => cloud.call(TESTER, 'one.vm.updateconf', id, `CONTEXT=[A=${n}]`),
  profile: (cloud: Cloud, id: number, n: number) => cloud.call(TESTER, 'one.vm.update', id, `METRIC_PROFILE=p${n}`, 1),
} as const;

const vm = fc.nat(3);
const host = fc.nat(2);
const n = fc.integer({ min: 0, max: 6 });
const effect: fc.Arbitrary<Effect<'vm'>> = fc.oneof(
  fc.constant({ do: 'fail', message: 'no' } as const),
  fc.constantFrom(
    { do: 'stick' } as const,
    { do: 'done-twice' } as const,
    { do: 'done-but-failed' } as const,
    { do: 'zombie' } as const,
    { do: 'unknown' } as const,
    { do: 'lost-monitoring' } as const,
  ),
  fc.record({ do: fc.constant('unknown' as const), forMs: fc.integer({ min: 1, max: 60_000 }) }),
  fc.record({ do: fc.constant('late-failure' as const), afterMs: fc.nat(60_000) }),
  fc.record({ do: fc.constant('delay' as const), ms: fc.nat(60_000) }),
);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      extra: fc.constantFrom('', 'CPU=1', 'CPU=2\nGRAPHICS=[TYPE=VNC]', 'SCHED_REQUIREMENTS="ID=1"', 'DISK=[]'),
      hold: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('action' as const),
      name: fc.constantFrom(...Object.keys(ACTIONS), 'resume', 'resume', 'stop', 'undeploy', 'suspend', 'poweroff'),
      vm,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('recover' as const), operation: fc.nat(5), vm }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('migrate' as const), vm, host, live: fc.boolean(), type: fc.nat(2) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      change: fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[])),
      vm,
      n,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      seen: fc.constantFrom('RUNNING' as const, 'POWEROFF' as const, 'SUSPENDED' as const, 'FAILURE' as const),
      vm,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('host' as const),
      host,
      state: fc.constantFrom('MONITORED' as const, 'ERROR' as const, 'DISABLED' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('arm' as const),
      action: fc.constantFrom('*', 'prolog', 'deploy', 'shutdown', 'epilog', 'save', 'migrate', 'resize'),
      effect,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'disarm' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.oneof(fc.nat(20_000), fc.constant(60_000)) }),
  },
);

/** Three small hosts, of which one can hold two or three VMs. */
function smallCloud(): Cloud {
  const cloud = furnishedCloud(TIMINGS.realistic);
  addHost(cloud, { name: 'host2', imMad: 'dummy', vmMad: 'dummy' });
  for (const each of cloud.hosts) each.totalCpu = 300;
  return cloud;
}

/** @param pass lets time go on */
function perform(cloud: Cloud, wanted: Command, pass: (ms: number) => void): void {
  const chosen = (index: number): Vm | undefined => {
    const alive = [...cloud.vms].filter(({ state }) => state !== 'DONE');
    return alive[index % Math.max(1, alive.length)];
  };
  try {
    switch (wanted.do) {
      case 'create':
        cloud.call(TESTER, 'one.template.instantiate', 0, '', wanted.hold, wanted.extra);
        return;
      case 'action':
        cloud.call(ADMIN_SESSION, 'one.vm.action', wanted.name, chosen(wanted.vm)?.id ?? 0);
        return;
      case 'recover': {
        const target = chosen(wanted.vm);
        // Going back is the one way onto a host that nobody asks whether there is room.
        if (wanted.operation === 0 && target !== undefined && failureOf(target.state)?.failsTo !== undefined) return;
        cloud.call(ADMIN_SESSION, 'one.vm.recover', target?.id ?? 0, wanted.operation);
        return;
      }
      case 'migrate': {
        const { host: to, live, type } = wanted;
        cloud.call(ADMIN_SESSION, 'one.vm.migrate', chosen(wanted.vm)?.id ?? 0, to, live, false, -1, type);
        return;
      }
      case 'change':
        CHANGES[wanted.change](cloud, chosen(wanted.vm)?.id ?? 0, wanted.n);
        return;
      case 'report': {
        const target = chosen(wanted.vm);
        // A probe on a host that is lost reports nothing.
        if (target === undefined || cloud.hosts.find(target.history.at(-1)?.hostId ?? -1)?.state === 'ERROR') return;
        report(cloud, target, wanted.seen);
        return;
      }
      case 'host':
        setHostState(cloud, cloud.hosts.get(wanted.host), wanted.state);
        return;
      case 'arm': {
        const selector = { layer: 'vm', operation: wanted.action } as const;
        cloud.judge.arm({ selector, trigger: { times: wanted.times }, effect: wanted.effect });
        return;
      }
      case 'disarm':
        cloud.judge.disarmAll();
        return;
      case 'advance':
        pass(wanted.ms);
        return;
      default:
        wanted satisfies never;
    }
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
  }
}

// ---- what holds ---------------------------------------------------------------------------------------------------

/** Cheaper than `expect`, which is asked some hundred thousand times here. */
function holds(what: boolean, law: string, ...seen: unknown[]): void {
  if (!what) throw new Error(`${law}: ${JSON.stringify(seen)}`);
}

function checkHosts(cloud: Cloud): void {
  for (const each of cloud.hosts) {
    let cpu = 0;
    let memKb = 0;
    for (const id of each.vms) {
      const { cpu: share, memoryMiB } = cloud.vms.get(id);
      cpu += Math.round(share * 100);
      memKb += memoryMiB * 1024;
    }
    const most = limits(cloud, each);
    const used = [each.usedCpu, each.usedMemKb];
    holds(each.usedCpu === cpu && each.usedMemKb === memKb, 'a host is used by its VMs', each.id, used, cpu, memKb);
    holds(cpu <= most.cpu && memKb <= most.memKb, 'a host holds no more than it has', each.id, used, most);
  }
}

const AWAY: ReadonlySet<State> = new Set<State>(['PENDING', 'HOLD', 'STOPPED', 'UNDEPLOYED', 'DONE']);

function checkVm(cloud: Cloud, each: Vm): void {
  const { id, state, spans, history } = each;
  const hosts = [...cloud.hosts].filter(({ vms }) => vms.has(id));
  if (state === 'RUNNING') {
    const [only] = hosts;
    holds(hosts.length === 1 && only?.id === history.at(-1)?.hostId, 'what runs is on one host', id, hosts.length);
    holds(only?.state !== 'ERROR', 'what runs is on a host that is up', id);
  }
  holds(hosts.length === 0 || !AWAY.has(state), 'what is not on a host takes nothing of one', id, state);
  holds(state !== 'DONE' || each.work === null, 'nothing is done to what is gone', id, each.work);
  for (const [i, { from, to }] of spans.entries()) {
    const before = i === 0 ? from : (spans[i - 1]?.to ?? Number.POSITIVE_INFINITY);
    holds(before <= from && from <= (to ?? cloud.clock.now), 'spans follow one another', id, spans);
  }
  const runs = each.trouble?.guest ?? GUEST_STATES.has(state);
  holds((spans.at(-1)?.to === null) === runs, 'a span is open while the guest runs', id, state, each.trouble);
  for (const [i, { seq, etime }] of history.entries()) {
    holds(seq === i && (etime > 0 || i === history.length - 1), 'one record at most is open', id, history);
  }
}

/** `from to` of all that the tables allow, and of what no call or driver step is behind. */
const EDGES: ReadonlySet<string> = new Set([
  ...[...Object.values(ACTIONS), ...Object.values(OPERATIONS)].flatMap((edges) =>
    Object.entries(edges).map(([from, to]) => `${from} ${to}`),
  ),
  ...(Object.entries(STEPS) as [State, Step][]).flatMap(([from, { ok, fail, okPoweroff }]) =>
    [ok, fail, okPoweroff ?? ok].map((to) => `${from} ${to}`),
  ),
  ...Object.entries(FAILURES).flatMap(([from, { retry }]) => {
    const { ok, okPoweroff }: Step = STEPS[retry];
    return [retry, ok, okPoweroff ?? ok].map((to) => `${from} ${to}`);
  }),
  ...(Object.keys(STATES) as State[]).flatMap((from) => [
    `${from} DONE`,
    ...(isActive(from) ? [`${from} CLEANUP_DELETE`, `${from} CLEANUP_RESUBMIT`] : []),
  ]),
  ...['POWEROFF', 'SUSPENDED'].flatMap((from) => [`${from} CLEANUP_RESUBMIT`, `${from} RUNNING`]),
  ...['STOPPED', 'UNDEPLOYED', 'HOLD'].map((from) => `${from} PENDING`),
  ...['RUNNING', 'UNKNOWN'].flatMap((from) => [`${from} SHUTDOWN_POWEROFF`, `${from} SAVE_SUSPEND`]),
  ...['INIT PENDING', 'INIT HOLD', 'RUNNING UNKNOWN', 'UNKNOWN RUNNING'],
  ...['PENDING', 'HOLD'].flatMap((from) => [`${from} PROLOG_RESUME`, `${from} PROLOG_UNDEPLOY`]),
]);

/** Event by event. */
function stepwise(cloud: Cloud, check: () => void): (ms: number) => void {
  return (ms) => {
    const end = cloud.clock.now + ms;
    for (let due = cloud.clock.nextDue; due !== null && due <= end; due = cloud.clock.nextDue) {
      cloud.clock.advanceNow(due - cloud.clock.now);
      check();
    }
    cloud.clock.advanceNow(end - cloud.clock.now);
  };
}

const commands = fc.array(command, { minLength: 20, maxLength: 100, size: 'max' });

describe('whatever is called, and whatever the drivers do', () => {
  it('no host holds more than it has, what runs is on one host that is up, and states follow the tables', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const cloud = smallCloud();
        cloud.observe({
          vmState: ({ state }, before) =>
            holds(EDGES.has(`${before} ${state}`), 'states follow the tables', before, state),
        });
        const check = (): void => {
          checkHosts(cloud);
          for (const each of cloud.vms) checkVm(cloud, each);
        };
        for (const each of list) {
          perform(cloud, each, stepwise(cloud, check));
          check();
        }
      }),
      RUNS,
    );
  });

  it('everything is given back when all VMs are gone, and the clock comes to rest', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const cloud = smallCloud();
        for (const each of list) perform(cloud, each, (ms) => void cloud.clock.advanceNow(ms));
        cloud.judge.disarmAll();
        for (const each of cloud.vms) cloud.call(ADMIN_SESSION, 'one.vm.recover', each.id, 3);
        await cloud.clock.runUntilIdle(10_000);
        for (const each of cloud.vms) expect(each).toMatchObject({ state: 'DONE', timer: null, work: null });
        for (const each of cloud.hosts) {
          expect(each).toMatchObject({ usedCpu: 0, usedMemKb: 0 });
          expect(each.vms.size).toBe(0);
        }
        expect(cloud.vnets.get(0).ranges[0]?.leases.size).toBe(0);
        expect(cloud.clusters.get(0).ports.size).toBe(0);
        for (const image of cloud.images) expect([image.vms.size, image.state]).toEqual([0, idle(image.state)]);
        expect([...cloud.quotas.user(2)].map(({ kind }) => kind).filter((kind) => kind !== 'DATASTORE')).toEqual([]);
      }),
      RUNS,
    );
  });

  /** An image that could not be saved stays as it is. */
  const idle = (state: string): string => (state === 'ERROR' ? 'ERROR' : 'READY');

  it('the same calls have the same journal, whether time jumps or creeps', () => {
    fc.assert(
      fc.property(commands, fc.integer({ min: 500, max: 10_000 }), (list, stride) => {
        const journal = (pass: (cloud: Cloud, ms: number) => void): unknown[] => {
          const cloud = smallCloud();
          for (const each of list) perform(cloud, each, (ms) => pass(cloud, ms));
          return [...cloud.journal.since()];
        };
        const jump = journal((cloud, ms) => void cloud.clock.advanceNow(ms));
        const creep = journal((cloud, ms) => {
          let left = ms;
          for (; left > stride; left -= stride) cloud.clock.advanceNow(stride);
          cloud.clock.advanceNow(left);
        });
        expect(creep).toEqual(jump);
        expect(journal((cloud, ms) => void cloud.clock.advanceNow(ms))).toEqual(jump);
      }),
      { ...RUNS, numRuns: 15 },
    );
  });
});

it('an idle cloud has an empty queue', () => {
  expect(freshCloud(TIMINGS.realistic).clock.pending).toBe(0);
});
