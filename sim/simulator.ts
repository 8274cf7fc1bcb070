/** One world, wired by hand: kernel, faults, cloud, metrics and the APIs on top. It shares nothing with another world. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { controlApi } from './api/control/control.ts';
import { BodyCutShort, type Edge } from './api/edge.ts';
import { engineApi } from './api/engine/api.ts';
import { ENGINE_DEFAULTS, type EngineConfig } from './api/engine/config.ts';
import { ENGINE_DEVIATIONS } from './api/engine/deviations.ts';
import { type Gatekeeper, gatekeeperApi } from './api/gatekeeper/api.ts';
import { GATEKEEPER_DEFAULTS, GATEKEEPER_PATHS, type GatekeeperConfig } from './api/gatekeeper/config.ts';
import { GATEKEEPER_DEVIATIONS } from './api/gatekeeper/deviations.ts';
import { type GatekeeperFurnishing, UNFURNISHED } from './api/gatekeeper/furnishing.ts';
import { MANAGER_PATH } from './api/gatekeeper/manager.ts';
import { onedApi } from './api/oned/api.ts';
import { oneflowApi } from './api/oneflow/api.ts';
import { prometheusApi } from './api/prometheus/exposition.ts';
import { Judge } from './faults/judge.ts';
import { Clock } from './kernel/clock.ts';
import { Journal } from './kernel/journal.ts';
import { Pace } from './kernel/pace.ts';
import { Random } from './kernel/random.ts';
import { remembered } from './kernel/remembered.ts';
import { Metrics } from './metrics/metrics.ts';
import { CLOUD_DEFAULTS, Cloud, type CloudConfig } from './one/cloud.ts';
import { TIMINGS, type Timing } from './one/timing.ts';

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
  /** Fills a new cloud with what a world file says, and returns what the Gatekeeper is to know. */
  readonly furnish: (cloud: Cloud) => GatekeeperFurnishing;
  /** Is told of every answer. */
  readonly onAnswer: (exchange: Exchange) => void;
}

/** A request and what became of it. */
export interface Exchange {
  readonly api: string;
  readonly method: string;
  readonly path: string;
  readonly user: string;
  readonly status: number;
  /** Simulated milliseconds since the Unix epoch, at the answer. */
  readonly at: number;
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
  furnish: () => UNFURNISHED,
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
  /** What the Gatekeeper started with. */
  readonly furnishing: GatekeeperFurnishing;
}

function createWorld(config: SimulatorConfig): World {
  const clock = new Clock(config.epochMs);
  const random = new Random(config.seed);
  const journal = new Journal(clock, config.journalCapacity);
  const judge = new Judge(random);
  const cloud = new Cloud({ clock, random, journal, judge }, { ...config.cloud, timing: config.timing });
  const metrics = new Metrics(random, cloud, config.deviations);
  const pace = new Pace(clock);
  const furnishing = config.furnish(cloud);
  return { config, clock, pace, random, journal, judge, cloud, metrics, furnishing };
}

/** The same from the sources and from the built form. */
const SIGNING_KEY = new URL('../fixtures/keys/gatekeeper.pem', import.meta.url);

function gatekeeperOf(world: World): Gatekeeper {
  const { gatekeeper: config, deviations, maxBodyBytes } = world.config;
  const signingKey = readFileSync(SIGNING_KEY, 'utf8');
  return gatekeeperApi({ ...world, config, deviations, maxBodyBytes, signingKey });
}

/** An API of a world, and the paths that are its. */
interface Api {
  readonly name: string;
  readonly owns: (path: string) => boolean;
  readonly app: {
    fetch(request: Request, edge: Edge): Response | Promise<Response>;
  };
}

const under =
  (...prefixes: string[]) =>
  (path: string): boolean =>
    prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));

/** The APIs of a world: the first that owns a path answers. The engine stands at the root and takes the rest. */
function apisOf(world: World, gatekeeper: Gatekeeper, reset: () => void): Api[] {
  const { cloud } = world;
  const { deviations, engine: config, maxBodyBytes } = world.config;
  return [
    {
      name: 'control',
      owns: under('/_onesim'),
      app: controlApi({ ...world, reset, maxBodyBytes }),
    },
    { name: 'prometheus', owns: under('/metrics'), app: prometheusApi(world) },
    { name: 'oned', owns: under('/RPC2'), app: onedApi({ ...world, bodyLimit: maxBodyBytes }) },
    {
      name: 'oneflow',
      owns: under('/service', '/service_template', '/service_pool'),
      app: oneflowApi({ cloud, maxBodyBytes }),
    },
    {
      name: 'gatekeeper',
      owns: under('/api/v2', ...GATEKEEPER_PATHS),
      app: gatekeeper.app,
    },
    { name: 'monitoring', owns: under(MANAGER_PATH), app: gatekeeper.manager },
    {
      name: 'engine',
      owns: () => true,
      app: engineApi({ cloud, config, deviations, bodyLimit: maxBodyBytes }),
    },
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
  fetch(request: Request, only?: 'oned' | 'oneflow'): Promise<Response>;
  /** Takes over a connection that is to become a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  reset(): void;
  close(): void;
}

export function createSimulator(given: Partial<SimulatorConfig> = {}): Simulator {
  const config = { ...DEFAULTS, ...given };
  let world: World;
  let gatekeeper: Gatekeeper;
  let apis: Api[];

  function begin(): void {
    world = createWorld(config);
    gatekeeper = gatekeeperOf(world);
    apis = apisOf(world, gatekeeper, reset);
    world.pace.set(config.factor);
  }

  function end(): void {
    world.pace.set(0);
    gatekeeper.streams.closeAll(GOING_AWAY);
  }

  function reset(): void {
    end();
    begin();
  }

  begin();
  return {
    get world() {
      return world;
    },
    fetch: (request, only) => answer(world, apis, request, only),
    upgrade(request, socket, head) {
      const cause = world.journal.append('upgrade', request.url ?? '');
      world.clock.because(cause, () => gatekeeper.upgrade(request, socket, head));
    },
    reset,
    close: end,
  };
}

/** Status of a WebSocket that is closed because the server stops, or its world does. */
const GOING_AWAY = 1001;

async function answer(world: World, apis: readonly Api[], request: Request, only?: string): Promise<Response> {
  const { clock, journal, pace, config } = world;
  if (pace.factor > 0) await pace.catchUp();
  const { method } = request;
  const path = pathOf(request.url);
  // An encoded slash separates segments too, as the real servers have it.
  const owned = path.replace(/%2f/gi, '/');
  const { name, app } = apis.find((api) => (only === undefined ? api.owns(owned) : api.name === only)) as Api;
  const user = userOf(request);
  const cause = journal.append('request', path, { api: name, method, user });
  let response: Response;
  try {
    response = await app.fetch(request, { cause });
  } catch (error) {
    if (error instanceof BodyCutShort) response = new Response(null, { status: 400 });
    else {
      // A mistake of ours: the client is told so, the journal keeps what happened, and the server goes on.
      const message = error instanceof Error ? error.message : String(error);
      clock.because(cause, () => journal.append('defect', path, { message }));
      response = Response.json({ error: 'Internal error of the simulator', message }, { status: 500 });
    }
  }
  const { status } = response;
  clock.because(cause, () => journal.append('answer', path, { status }));
  config.onAnswer({ api: name, method, path, user, status, at: clock.now });
  return response;
}

const LONG_QUERY = 256;

/** The path of a URL, without its query string. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.indexOf('?', start);
  if (end < 0) return url.slice(start);
  const path = url.slice(start, end);
  // A slice keeps the whole text in memory; the journal is to keep the path, and not a query string of any length.
  return url.length - end > LONG_QUERY ? Buffer.from(path, 'latin1').toString('latin1') : path;
}

/** Who a request says it comes from; never more of the credentials than the name. */
function userOf(request: Request): string {
  const header = request.headers.get('Authorization');
  return header === null ? '' : userIn(header);
}

const userIn = remembered((authorization) => {
  if (!authorization.startsWith('Basic ')) return '';
  const session = Buffer.from(authorization.slice(6), 'base64').toString('latin1');
  const colon = session.indexOf(':');
  return colon < 0 ? '' : session.slice(0, colon);
});
