/** One world, wired by hand: kernel, faults, cloud, metrics and the APIs on top. It shares nothing with another world. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Breakage } from './api/breakage.ts';
import { controlApi } from './api/control/control.ts';
import type { SandboxDoor } from './api/control/sandboxes.ts';
import type { Beginning, Kept } from './api/control/state.ts';
import { cutOf, received } from './api/cut.ts';
import { engineApi, engineRefuses } from './api/engine/api.ts';
import { ENGINE_DEFAULTS, type EngineConfig } from './api/engine/config.ts';
import { ENGINE_DEVIATIONS } from './api/engine/deviations.ts';
import { gatekeeperRefuses } from './api/gatekeeper/answer.ts';
import { type Gatekeeper, gatekeeperApi } from './api/gatekeeper/api.ts';
import { GATEKEEPER_DEFAULTS, GATEKEEPER_PATHS, type GatekeeperConfig } from './api/gatekeeper/config.ts';
import { GATEKEEPER_DEVIATIONS } from './api/gatekeeper/deviations.ts';
import { type GatekeeperFurnishing, UNFURNISHED } from './api/gatekeeper/furnishing.ts';
import { MANAGER_PATH, managerRefuses } from './api/gatekeeper/manager.ts';
import type { Connection, Sink } from './api/gatekeeper/streams.ts';
import { LazyDoor } from './api/lazy-door.ts';
import { onedApi, onedRefuses } from './api/oned/api.ts';
import { oneflowApi, oneflowRefuses } from './api/oneflow/api.ts';
import { type Plea, plainRequest, standard, type Told, toldOf } from './api/plain.ts';
import { Progress } from './api/progress.ts';
import { prometheusRefuses } from './api/prometheus/answer.ts';
import { prometheusApi } from './api/prometheus/api.ts';
import { type Api, answer, type Directory, directoryOf, type Exchange, operationsOf } from './exchange.ts';
import type { Vocabulary } from './faults/flaws.ts';
import { Judge } from './faults/judge.ts';
import type { FaultSpec } from './faults/schema.ts';
import { Clock } from './kernel/clock.ts';
import { type Holders, WorldOver } from './kernel/held.ts';
import { Journal } from './kernel/journal.ts';
import { Pace } from './kernel/pace.ts';
import { Random } from './kernel/random.ts';
import { remembered } from './kernel/remembered.ts';
import { type Soon, whenThere } from './kernel/soon.ts';
import { Chronicle } from './metrics/chronicle.ts';
import type { Disturbances } from './metrics/disturbance.ts';
import { Metrics } from './metrics/metrics.ts';
import { platformSince } from './metrics/platform.ts';
import { CLOUD_DEFAULTS, Cloud, type CloudConfig } from './one/cloud.ts';
import { TIMINGS, type Timing } from './one/timing.ts';
import { vmFacts } from './one/vm/trouble.ts';
import { packageFile } from './package-files.ts';
import { Sandboxes } from './sandboxes.ts';
import { anySettings, requireSettled, resettled, type Settings, settingsOf, takeOver } from './settlement.ts';
import { readSnapshot, statesOf, writeSnapshot } from './snapshot.ts';
import { vocabularyOf } from './vocabulary.ts';

export interface SimulatorConfig {
  readonly seed: number;
  /** Where simulated time starts, in milliseconds since the Unix epoch. */
  readonly epochMs: number;
  /** Simulated milliseconds that pass in one of the host's; 0: time stands still until someone advances the clock. */
  readonly factor: number;
  readonly timing: Timing;
  readonly cloud: Omit<CloudConfig, 'timing'>;
  readonly engine: EngineConfig;
  readonly gatekeeper: GatekeeperConfig;
  /** Names of the departures from the contracts that are reproduced. */
  readonly deviations: ReadonlySet<string>;
  /** How many entries the journal keeps. */
  readonly journalCapacity: number;
  /** Largest body of a request, in bytes. */
  readonly maxBodyBytes: number;
  /** Whether there is a control API. */
  readonly control: boolean;
  /** Names by which the control API may be called, besides `localhost` and addresses. */
  readonly controlHosts: readonly string[];
  /** Whether an answer that a fault has touched says so in a header. */
  readonly faultHeader: boolean;
  /** Fills a new cloud with what a world file says, and returns what the Gatekeeper is to know. */
  readonly furnish: (cloud: Cloud) => GatekeeperFurnishing;
  /** Faults that are armed from the start. */
  readonly faults: (vocabulary: Vocabulary) => readonly FaultSpec[];
  /** How many sandboxes there may be at a time; null in a sandbox, which has none and looks for none. */
  readonly sandboxes: number | null;
  /** Is told of every answer. */
  readonly onAnswer: (exchange: Exchange) => void;
}

/** 2026-01-01T00:00:00Z, where virtual time starts unless told otherwise. */
export const VIRTUAL_EPOCH_MS = 1_767_225_600_000;

/** What each profile reproduces of the real servers' departures from their contracts. */
export const PROFILES = {
  upstream: new Set<string>([...ENGINE_DEVIATIONS, ...GATEKEEPER_DEVIATIONS]),
  contract: new Set<string>(),
} as const;

const DEFAULTS: SimulatorConfig = {
  seed: 1,
  epochMs: VIRTUAL_EPOCH_MS,
  factor: 0,
  timing: TIMINGS.realistic,
  cloud: CLOUD_DEFAULTS,
  engine: ENGINE_DEFAULTS,
  gatekeeper: GATEKEEPER_DEFAULTS,
  deviations: PROFILES.upstream,
  journalCapacity: 100_000,
  maxBodyBytes: 4 * 1024 * 1024,
  control: true,
  controlHosts: [],
  faultHeader: true,
  sandboxes: 64,
  furnish: () => UNFURNISHED,
  faults: () => [],
  onAnswer: () => {},
};

/** The parts of a world. Tests look at them; clients use {@link Simulator.fetch}. */
export interface World {
  readonly config: SimulatorConfig;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly random: Random;
  readonly journal: Journal;
  readonly judge: Judge;
  readonly cloud: Cloud;
  readonly metrics: Metrics;
  /** What a fault may name. */
  readonly vocabulary: Vocabulary;
  /** What the Gatekeeper started with. */
  readonly furnishing: GatekeeperFurnishing;
}

/** So long the containers of SONATA's platform have been running when a world begins. */
const PLATFORM_AGE_MS = 7 * 86_400_000;

function createWorld(
  config: SimulatorConfig,
  furnish: SimulatorConfig['furnish'],
  operations: (api: string | undefined) => Iterable<string>,
): World {
  const clock = new Clock(config.epochMs);
  const random = new Random(config.seed);
  const journal = new Journal(clock, config.journalCapacity);
  const judge = new Judge(clock, journal, random);
  const cloud = new Cloud({ clock, random, journal, judge }, { timing: config.timing, ...config.cloud });
  const chronicle = new Chronicle(cloud);
  const disturbances = new JudgedDisturbances(cloud);
  const platform = () => platformSince(config.epochMs - PLATFORM_AGE_MS);
  const metrics = new Metrics(random, cloud, config.deviations, disturbances, chronicle, platform);
  cloud.monitored = (vmId, name) => metrics.monitored(vmId, name, clock.now);
  const vocabulary = vocabularyOf(cloud, metrics, operations, API_NAMES);
  const pace = new Pace(clock);
  pace.onFailure = (why) =>
    journal.append('defect', 'clock', { message: why instanceof Error ? why.message : String(why) });
  const furnishing = furnish(cloud);
  return { config, clock, pace, random, journal, judge, cloud, metrics, vocabulary, furnishing };
}

/** Those that a world begins with. */
function armFaults({ config, judge, vocabulary }: World): void {
  for (const fault of config.faults(vocabulary)) judge.arm(fault);
}

/** What faults do to the metrics of a world. */
class JudgedDisturbances implements Disturbances {
  readonly #cloud: Cloud;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  get any(): boolean {
    return this.#cloud.judge.hasTouchedMetrics;
  }

  get nowMs(): number {
    return this.#cloud.clock.now;
  }

  faults(): ReturnType<Disturbances['faults']> {
    return this.#cloud.judge.metricFaults();
  }

  factsOf(id: number): ReturnType<Disturbances['factsOf']> {
    const vm = this.#cloud.vms.find(id);
    return vm === undefined ? {} : vmFacts(this.#cloud, vm);
  }
}

const SIGNING_KEY = packageFile('fixtures/keys/gatekeeper.pem');

/** By its address; the file does not change while we run. */
const readKey = remembered((url) => readFileSync(new URL(url), 'utf8'));

function gatekeeperOf(world: World): Gatekeeper {
  const { gatekeeper: config, deviations, maxBodyBytes } = world.config;
  const signingKey = readKey(SIGNING_KEY.href);
  const { clock, journal, judge, random, cloud, metrics, furnishing } = world;
  const parts = { clock, journal, judge, random, cloud, metrics, furnishing };
  return gatekeeperApi({ config, deviations, maxBodyBytes, signingKey, ...parts });
}

function under(...prefixes: string[]): (path: string) => boolean {
  const pattern = new RegExp(`^(?:${prefixes.join('|')})(?![^/])`);
  return (path) => pattern.test(path);
}

/** The paths of each API; the engine stands at the root and takes the rest. */
const OWNS = {
  control: under('/_onesim'),
  prometheus: under('/metrics', '/api/v1', '/-'),
  oned: under('/RPC2'),
  oneflow: under('/service', '/service_template', '/service_pool'),
  gatekeeper: under('/api/v2', ...GATEKEEPER_PATHS),
  monitoring: under(MANAGER_PATH),
  engine: (): boolean => true,
} as const;

const lazy = (api: Omit<Api, 'app'>, make: () => Api['app']): Api => ({ app: new LazyDoor(make), ...api });

/** Of {@link apisOf}, in their order. */
const API_NAMES = ['control', 'prometheus', 'oned', 'oneflow', 'gatekeeper', 'monitoring', 'engine'] as const;

/** The APIs of a world: the first that owns a path answers. */
function apisOf(world: World, gatekeeper: Gatekeeper, kept: Kept, sandboxes: SandboxDoor): Api[] {
  const { cloud } = world;
  const { deviations, engine: config, maxBodyBytes, control, controlHosts } = world.config;
  return [
    lazy({ name: 'control', owns: control ? OWNS.control : () => false }, () =>
      controlApi({ ...world, instances: gatekeeper.door, kept, sandboxes, maxBodyBytes, controlHosts }),
    ),
    lazy({ name: 'prometheus', refuse: prometheusRefuses, owns: OWNS.prometheus }, () =>
      prometheusApi({ ...world, maxBodyBytes }),
    ),
    lazy({ name: 'oned', refuse: onedRefuses, owns: OWNS.oned }, () => onedApi({ ...world, bodyLimit: maxBodyBytes })),
    lazy({ name: 'oneflow', refuse: oneflowRefuses, owns: OWNS.oneflow }, () => oneflowApi({ cloud, maxBodyBytes })),
    { name: 'gatekeeper', refuse: gatekeeperRefuses, owns: OWNS.gatekeeper, app: gatekeeper.app },
    { name: 'monitoring', refuse: managerRefuses, owns: OWNS.monitoring, app: gatekeeper.manager },
    lazy({ name: 'engine', refuse: engineRefuses(deviations), owns: OWNS.engine }, () =>
      engineApi({ cloud, config, deviations, bodyLimit: maxBodyBytes }),
    ),
  ];
}

/** A world that can be put back as it was, and the door through which clients reach it. */
export interface Simulator {
  /** The present world; {@link reset} makes another. */
  readonly world: World;
  /**
   * Answers a request as the server on the main port does, or as one of OpenNebula's own ports. Never rejects.
   * @param only the API that answers whatever the path
   */
  fetch(request: Request, only?: 'oned' | 'oneflow' | 'monitoring'): Promise<Response>;
  /** As {@link fetch}, and at once where no simulated time has to pass: for servers. */
  answer(request: Request, only?: 'oned' | 'oneflow' | 'monitoring'): Soon<Response>;
  /** As {@link fetch}, in plain texts, and at once where no simulated time has to pass: for programs that ask a lot. */
  ask(plea: Plea, only?: 'oned' | 'oneflow' | 'monitoring'): Soon<Told>;
  /** Takes over a connection that is to become a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** As {@link upgrade}, for who is in this process and needs no socket. @returns the HTTP status when it is refused */
  connect(path: string, sink: Sink): Connection | number;
  /**
   * The whole world as a JSON text, from which {@link restore} goes on as if nothing had been.
   * @throws Unsettled while requests wait for simulated time to pass, for they belong to their connections
   */
  snapshot(): string;
  /** Puts another world in the place of this one, or throws and leaves it as it is. @throws Unreadable */
  restore(snapshot: string): void;
  readonly sandboxes: Sandboxes;
  /** Begins again. Streams are closed, and requests that wait are answered with 503, as by {@link restore}. */
  reset(beginning?: Beginning): void;
  close(): void;
  /** As close: `using` ends it with its block. */
  [Symbol.dispose](): void;
}

/** A world with the APIs that lead to it. */
interface Living {
  readonly world: World;
  readonly gatekeeper: Gatekeeper;
  readonly apis: readonly Api[];
  readonly directory: Directory;
  readonly breakage: Breakage;
  readonly progress: Progress;
}

/** All that holds state. Settings and furnishing come first, for a world is made of them. */
const heldBy = ({
  world: { clock, journal, judge, cloud, metrics },
  gatekeeper,
  breakage,
  progress,
}: Living): Holders => ({
  clock,
  journal,
  faults: judge,
  answers: breakage,
  progress,
  ...cloud.held,
  ...metrics.held,
  ...gatekeeper.held,
});

type Replaceable<S extends { readonly world: World }> = Omit<S, 'world'> & { world: World };

export function createSimulator(given: Partial<SimulatorConfig> = {}): Simulator {
  const config = { ...DEFAULTS, ...given };
  const sandboxes = new Sandboxes(
    config,
    (own) => createSimulator({ ...config, ...own }),
    VIRTUAL_EPOCH_MS,
    () => ({
      seed: living.world.config.seed,
      factor: living.world.pace.factor,
    }),
  );
  let living = begun(config, config.furnish);
  armFaults(living.world);
  living.world.pace.set(config.factor);

  function begun(settings: SimulatorConfig, furnish: SimulatorConfig['furnish']): Living {
    const world = createWorld(settings, furnish, (api) => operationsOf(living.apis, api));
    const gatekeeper = gatekeeperOf(world);
    const apis = apisOf(world, gatekeeper, { snapshot, restore, reset }, sandboxes);
    return {
      world,
      gatekeeper,
      apis,
      directory: directoryOf(apis),
      breakage: new Breakage(world, settings.faultHeader),
      progress: new Progress(world, settings.timing.progressAfterReads),
    };
  }

  function end({ world, gatekeeper }: Living): void {
    world.pace.halt();
    gatekeeper.streams.closeAll(GOING_AWAY);
    const why = new WorldOver();
    world.clock.abandon(why);
    world.journal.close(why);
  }

  function replace(next: Living): void {
    const before = living;
    // Whatever is wrong with the world that was, the next one is there.
    living = next;
    simulator.world = next.world;
    next.world.pace.set(next.world.config.factor);
    end(before);
  }

  function reset({ world = 'loaded', seed = config.seed }: Beginning = {}): void {
    replace(begun({ ...config, seed }, world === 'empty' ? () => UNFURNISHED : config.furnish));
    if (world === 'loaded') armFaults(living.world);
  }

  function snapshot(): string {
    const { world } = living;
    requireSettled(world.clock);
    return writeSnapshot({ settings: settingsOf(world), furnishing: world.furnishing, ...statesOf(heldBy(living)) });
  }

  function restore(text: string): void {
    const { settings, furnishing, ...states } = readSnapshot(text, [
      'settings',
      'furnishing',
      ...Object.keys(heldBy(living)),
    ]);
    let next = living;
    takeOver('settings', anySettings(living.world), settings, (own: Settings) => {
      takeOver('furnishing', UNFURNISHED, furnishing, (begin: GatekeeperFurnishing) => {
        next = begun(resettled(config, own), () => begin);
      });
    });
    for (const [name, holder] of Object.entries(heldBy(next))) {
      takeOver(name, holder.state(), states[name], (state) => holder.restore(state));
    }
    replace(next);
  }

  function close(): void {
    sandboxes.closeAll();
    end(living);
  }

  const answered = (request: Request, only?: 'oned' | 'oneflow' | 'monitoring'): Soon<Response> =>
    sandboxes.answer(request, only) ?? answer(living, request, only);

  /** As {@link Simulator}, with a world that another takes the place of. */
  const simulator: Replaceable<Simulator> = {
    world: living.world,
    async fetch(request, only) {
      const response = await answered(request, only);
      const how = cutOf(response);
      return how === undefined ? standard(response) : received(response, how, request.signal);
    },
    answer: (request, only) => whenThere(answered(request, only), standard),
    ask(plea, only) {
      const request = plainRequest(plea);
      return whenThere(answered(request, only), (response) => {
        const how = cutOf(response);
        return how === undefined ? toldOf(response) : received(response, how, request.signal).then(toldOf);
      });
    },
    upgrade(request, socket, head) {
      if (sandboxes.upgrade(request, socket, head)) return;
      const { world, gatekeeper } = living;
      const cause = world.journal.append('upgrade', request.url ?? '');
      world.clock.because(cause, () => gatekeeper.upgrade(request, socket, head));
    },
    connect(path, sink) {
      const { world, gatekeeper } = living;
      const cause = world.journal.append('upgrade', path);
      return world.clock.because(cause, () => gatekeeper.connect(path, sink));
    },
    snapshot,
    restore,
    reset,
    sandboxes,
    close,
    [Symbol.dispose]: close,
  };
  return simulator;
}

/** Status of a WebSocket that is closed because the server stops, or its world does. */
const GOING_AWAY = 1001;
