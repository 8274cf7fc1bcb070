/** What a run is made over: the door of a stand-in in this process, with time in our hands, or HTTP, with none. */
import {
  createSimulator,
  type Entry,
  furnishing,
  PROFILES,
  type Simulator,
  type Soon,
  setHostState,
  TIMINGS,
  Unsettled,
} from '../../sim/index.ts';
import { pausing } from './concurrency/waits.ts';
import { requestOf, type Sent } from './request.ts';
import { type Scenario, seedOf } from './scenario.ts';
import type { Answer, Census, RunLine } from './trace.ts';
import { stocked } from './watching/stock.ts';
import { type Call, type Ear, streamsOf } from './watching/stream-door.ts';

/** What only the world itself can say or do. */
export interface God {
  /** Entries of the journal since the last call. */
  entries(): readonly Entry[];
  /** How many there have been. */
  written(): number;
  census(): Census;
  /** Puts a copy of the world in its own place, made from its snapshot; not while requests are under way. */
  rebirth(): void;
  /** The host that a VM is on. */
  hostOf(vm: number): number | undefined;
  /** Whether the host is heard of. */
  setHost(id: number, up: boolean): void;
}

/** Of a request that is not sent, or not again, since who is asked does not want it: it tells nothing of them, and ends the run. */
export class Unasked extends Error {
  override readonly name = 'Unasked';
  /** What was answered when it was sent before; undefined when it was not. */
  readonly status: number | undefined;

  constructor(why: string, status: number | undefined) {
    super(why);
    this.status = status;
  }
}

export interface Transport {
  readonly about: Pick<RunLine, 'transport' | 'target' | 'deviations' | 'epochMs' | 'bounds'>;
  /** Milliseconds since the start. */
  now(): number;
  /** Throws or rejects when no answer comes, with `Unasked` when none was wanted. */
  send(sent: Sent): Soon<Answer>;
  /** Lets what is in flight run as far as it can without time passing. */
  settle(): Promise<void>;
  /** Lets time pass until `until` holds, or up to an instant. */
  pass(instant: number, until?: () => boolean): Promise<void>;
  /** Opens a stream by its address; absent where there are none. @returns the HTTP status of a refusal */
  connect?(address: string, ear: Ear): Promise<Call | number>;
  readonly god: God | undefined;
}

/** Where requests go that never leave the process. */
const ORIGIN = 'http://127.0.0.1:1337';

export type Wrap = (simulator: Simulator) => (request: Request) => Promise<Response>;

/** What a stand-in loads when it is first asked would be waited for by the host's clock, and simulated time would run away. */
let loaded: Promise<unknown> | undefined;
function loadAll(): Promise<unknown> {
  loaded ??= createSimulator().fetch(new Request(`${ORIGIN}/api/v1/query?query=1`));
  return loaded;
}

/**
 * A new stand-in for a scenario, and its door.
 * @param wrap puts something before the door: a seeded bug, where the harness itself is tested
 */
export async function inProcess(scenario: Scenario, wrap?: Wrap): Promise<Transport> {
  const { profile = 'upstream', timing = 'fast', world = 'default' } = scenario;
  if (scenario.steps.some(({ op }) => op === 'request' || op === 'prometheus.query')) await loadAll();
  const simulator = createSimulator({
    seed: seedOf(scenario),
    timing: TIMINGS[timing],
    deviations: PROFILES[profile],
    furnish: stocked(await furnishing(world), scenario.functions ?? 0),
  });
  return overDoor(simulator, wrap);
}

/** How long a client in this process waits for an answer: longer than the engine keeps anybody waiting. */
const CLIENT_TIMEOUT_MS = 600_000;

/** A request that is under way. */
interface Flight {
  readonly due: number;
  readonly giveUp: () => void;
}

function overDoor(simulator: Simulator, wrap: Wrap | undefined): Transport {
  let { clock, journal, cloud } = simulator.world;
  const { config } = simulator.world;
  const door = doorOf(simulator, wrap);
  const start = clock.now;
  let read = 0;
  /** Since the last census, by host. */
  const fullest = new Map<number, Load>();
  const flights = new Set<Flight>();
  const send = (sent: Sent): Soon<Answer> => {
    const answering = sent.waitsMs === undefined ? door(sent) : pausing(clock, sent.waitsMs, () => door(sent));
    if (!(answering instanceof Promise)) return answering;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(new Error(`no answer within ${CLIENT_TIMEOUT_MS / 1000} s`));
      const flight = { due: clock.now + CLIENT_TIMEOUT_MS, giveUp };
      flights.add(flight);
      const land = (): void => void flights.delete(flight);
      answering.then(resolve, reject).then(land, land);
    });
  };
  /** Nobody waits for ever: where no answer comes any more, time stops for those who give up. */
  const pass = async (end: number, until: () => boolean): Promise<void> => {
    const due = Math.min(...Array.from(flights, (flight) => flight.due));
    const stop = Math.min(end, due);
    let held = false;
    const over = (): boolean => {
      held = until();
      return held || clock.nextDue === null || clock.nextDue > stop;
    };
    await clock.runUntil(over, { maxEvents: 10_000_000 });
    if (!held) await clock.advanceTo(stop);
    for (const flight of flights) {
      if (flight.due > clock.now) continue;
      flights.delete(flight);
      flight.giveUp();
    }
  };
  const streams = streamsOf(simulator);
  return {
    about: { transport: 'in process', target: ORIGIN, deviations: [...config.deviations], epochMs: start },
    now: () => clock.now - start,
    send,
    settle: async () => void (await clock.advance(0)),
    async pass(instant, until) {
      const end = start + instant;
      if (until === undefined) await clock.advanceTo(end);
      else await pass(end, until);
    },
    connect: streams.connect,
    god: {
      entries() {
        if (journal.length === read) return [];
        const entries = [...journal.since(read)];
        read = journal.length;
        if (entries.some(({ kind }) => kind === 'vm.state')) weigh(cloud, fullest);
        return entries;
      },
      written: () => journal.length,
      census() {
        weigh(cloud, fullest);
        const census = censusOf(simulator, fullest);
        fullest.clear();
        return census;
      },
      rebirth() {
        if (flights.size > 0 || streams.isAnyOpen()) return;
        const snapshot = settledOf(simulator);
        if (snapshot === undefined) return;
        simulator.restore(snapshot);
        ({ clock, journal, cloud } = simulator.world);
      },
      hostOf: (vm) => [...cloud.hosts].find(({ vms }) => vms.has(vm))?.id,
      setHost: (id, up) => setHostState(cloud, cloud.hosts.get(id), up ? 'MONITORED' : 'ERROR'),
    },
  };
}

/** Its snapshot; none while something is under way that is no request, such as a frame that a fault keeps back. */
function settledOf(simulator: Simulator): string | undefined {
  try {
    return simulator.snapshot();
  } catch (error) {
    if (error instanceof Unsettled) return undefined;
    throw error;
  }
}

/** A seeded bug has to do with whole requests and answers; without one there is no need for them. */
function doorOf(simulator: Simulator, wrap: Wrap | undefined): (sent: Sent) => Soon<Answer> {
  if (wrap === undefined) return (sent) => simulator.ask(sent);
  const door = wrap(simulator);
  return async (sent) => answerOf(await door(requestOf(sent)));
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

const [SERVICE, RUNTIME] = [100, 1337];

type Load = Census['hosts'][number]['most'];
type Cloud = Simulator['world']['cloud'];

/** Notes what the VMs of each host take, where it is more than was noted before. */
function weigh({ hosts, vms }: Cloud, fullest: Map<number, Load>): void {
  for (const host of hosts) {
    if (host.vms.size === 0) continue;
    let [cpu, memoryMiB] = [0, 0];
    for (const id of host.vms) {
      const vm = vms.find(id);
      cpu += vm?.cpu ?? 0;
      memoryMiB += vm?.memoryMiB ?? 0;
    }
    const before = fullest.get(host.id) ?? NOTHING;
    if (cpu <= before.cpu && memoryMiB <= before.memoryMiB) continue;
    fullest.set(host.id, { cpu: Math.max(cpu, before.cpu), memoryMiB: Math.max(memoryMiB, before.memoryMiB) });
  }
}

const NOTHING: Load = { cpu: 0, memoryMiB: 0 };

function censusOf({ world }: Simulator, fullest: ReadonlyMap<number, Load>): Census {
  const { cloud } = world;
  const documents = [...cloud.documents];
  const of = (type: number): number[] => documents.filter((each) => each.type === type).map(({ id }) => id);
  const hosts = [...cloud.hosts];
  return {
    runtimes: of(RUNTIME),
    services: of(SERVICE),
    vms: [...cloud.vms]
      .filter(({ state }) => state !== 'DONE')
      .map(({ id, uid, state, cpu, vcpu, memoryMiB, disks, nics, work }) => ({
        id,
        owner: uid,
        state,
        hosts: hosts.filter(({ vms }) => vms.has(id)).map((host) => host.id),
        cpu,
        vcpu,
        memoryMiB,
        diskMiB: disks.find((disk) => disk.id === 0)?.sizeMiB ?? 0,
        address: addressOf(nics.find((nic) => nic.id === 0)),
        changing: work !== null,
      })),
    quotas: [...cloud.users]
      .filter(({ id }) => id > 0)
      .map(({ id }) => {
        const book = cloud.quotas.user(id).find({ kind: 'VM', id: -1 });
        const used = (metric: 'VMS' | 'CPU' | 'MEMORY'): number => book?.used(metric) ?? 0;
        return { user: id, vms: used('VMS'), cpu: used('CPU'), memoryMiB: used('MEMORY') };
      }),
    hosts: hosts.map(({ id, state, totalCpu, totalMemKb }) => ({
      id,
      state,
      cpu: totalCpu / 100,
      memoryMiB: totalMemKb / 1024,
      most: fullest.get(id) ?? NOTHING,
    })),
  };
}

type Nic = Parameters<Cloud['driver']['finish']>[0]['nics'][number];

/** As `one.vm.info` shows it: what was leased goes before what was given, and that before what its network has. */
function addressOf(nic: Nic | undefined): string {
  if (nic === undefined) return '';
  const shown = (name: string): string | undefined => nic.given?.get(name) ?? nic.source.get(name);
  return shown('EXTERNAL_IP') ?? nic.ip6 ?? shown('IP6') ?? nic.ip ?? shown('IP') ?? '';
}

/** The host's time, for targets whose time is not ours. */
export interface WallClock {
  /** Milliseconds since the Unix epoch, where its own zero is. */
  readonly epochMs: number;
  now(): number;
  sleep(ms: number): Promise<void>;
}
