/** Starts a stand-in on this machine's ports, as `onesim serve` does and as a program may. */
import { ENGINE_DEFAULTS, type EngineConfig } from './api/engine/config.ts';
import { GATEKEEPER_DEFAULTS } from './api/gatekeeper/config.ts';
import { CONFIG_DEFAULTS, type Config, DEVIATIONS } from './config.ts';
import type { Exchange } from './exchange.ts';
import { hostEpochMs } from './kernel/pace.ts';
import { listen, type Urls } from './net/listen.ts';
import { TIMINGS, type Timing } from './one/timing.ts';
import { createSimulator, PROFILES, type Simulator, type SimulatorConfig, VIRTUAL_EPOCH_MS } from './simulator.ts';
import { furnisher } from './world/mould.ts';
import { loadState, saveState } from './world/state-file.ts';
import { readTiming } from './world/timing-file.ts';
import { faultsIn, type WorldFile } from './world/world-file.ts';
import { loadWorld, readText } from './world/worlds.ts';

/** As the settings of `onesim serve`; ports that are not given are closed, but for the main one. */
export interface StartOptions extends Partial<Config> {
  /** Is told of every answer. */
  readonly onAnswer?: (exchange: Exchange) => void;
}

export interface Running {
  readonly urls: Urls;
  readonly simulator: Simulator;
  readonly worldFile: WorldFile;
  /** Accepts no more, closes WebSockets with 1001, and resolves when the last answer has gone out and the state is saved. */
  close(): Promise<void>;
  /** As close: `await using` ends it with its block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A stand-in in this process, with no port: for tests. The clock stands still, unless told otherwise.
 * @throws Problem when a file cannot be taken
 */
export async function loadSimulator({ onAnswer = () => {}, ...options }: StartOptions = {}): Promise<Simulator> {
  const config: Config = { ...CONFIG_DEFAULTS, clock: 0, ...options };
  const [worldFile, timing] = await Promise.all([loadWorld(config.world), loadTiming(config.timing)]);
  return createSimulator({ ...simulatorConfig(config, { worldFile, timing, urls: IN_PROCESS }), onAnswer });
}

/** What the engine shows of where OpenNebula is, when nothing listens. */
const IN_PROCESS: Urls = {
  engine: 'http://127.0.0.1:1337',
  gatekeeper: 'http://127.0.0.1:1337/api/v2',
  oned: 'http://127.0.0.1:2633/RPC2',
  oneflow: 'http://127.0.0.1:2474',
  control: 'http://127.0.0.1:1337/_onesim',
  manager: 'http://127.0.0.1:1337/monitoring/api/v1',
};

/**
 * @throws Problem when a file cannot be taken, or a port cannot be had
 */
export async function startSim({ onAnswer = () => {}, ...options }: StartOptions = {}): Promise<Running> {
  const config: Config = { ...CONFIG_DEFAULTS, onedPort: 'off', oneflowPort: 'off', ...options };
  const [worldFile, timing] = await Promise.all([loadWorld(config.world), loadTiming(config.timing)]);
  let simulator: Simulator | undefined;
  // The ports come first, for the engine shows them in its configuration.
  const listening = await listen(
    {
      fetch: (request, only) => simulator?.answer(request, only) ?? new Response(null, { status: 503 }),
      upgrade: (request, socket, head) => simulator?.upgrade(request, socket, head),
    },
    config,
  );
  const { urls } = listening;
  try {
    const made = createSimulator({ ...simulatorConfig(config, { worldFile, timing, urls }), onAnswer });
    if (config.state !== null) await loadState(config.state, made);
    simulator = made;
    const close = async (): Promise<void> => {
      const closed = listening.close();
      made.close();
      await closed;
      if (config.state !== null) await saveState(config.state, made);
    };
    return { urls, simulator: made, worldFile, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await listening.close();
    throw error;
  }
}

async function loadTiming(wanted: Config['timing']): Promise<Timing> {
  return 'name' in wanted ? TIMINGS[wanted.name] : readTiming(await readText(wanted.file), wanted.file);
}

interface Loaded {
  readonly worldFile: WorldFile;
  readonly timing: Timing;
  readonly urls: Urls;
}

function simulatorConfig(config: Config, { worldFile, timing, urls }: Loaded): Partial<SimulatorConfig> {
  const { seed, clock, epoch, maxBody, journalSize } = config;
  const start = clock === 0 ? VIRTUAL_EPOCH_MS : hostEpochMs();
  return {
    seed,
    epochMs: epoch === 'now' ? start : epoch,
    factor: clock,
    timing,
    engine: engineConfig(config, urls),
    gatekeeper: { ...GATEKEEPER_DEFAULTS, rateLimits: config.gatekeeperRateLimits === 'on' },
    deviations: deviationsOf(config),
    journalCapacity: journalSize,
    maxBodyBytes: maxBody,
    control: config.control === 'on',
    controlHosts: config.controlHosts,
    sandboxes: config.sandboxes,
    faultHeader: config.faultHeader === 'on',
    furnish: furnisher(worldFile),
    faults: (vocabulary) => faultsIn(worldFile, vocabulary),
  };
}

/** Those of the profile, but for what is switched one by one. */
function deviationsOf({ profile, deviations }: Config): ReadonlySet<string> {
  return new Set(DEVIATIONS.filter((id) => deviations[id] ?? PROFILES[profile].has(id)));
}

/** As `GET /server/config` shows it. */
function engineConfig(config: Config, urls: Urls): EngineConfig {
  return {
    ...ENGINE_DEFAULTS,
    one_xmlrpc: named(urls.oned),
    oneflow_server: named(urls.oneflow),
    host: config.host,
    port: Number(new URL(urls.engine).port),
    timeout: config.engineTimeout,
    capacity: {
      disk: { default: config.engineDisk },
      cpu: { default: config.engineCpu, mult: config.engineCpuMult },
      memory: {
        default: config.engineMemory,
        mult: config.engineMemoryMult,
        resize_mode: config.engineResizeMode,
      },
    },
  };
}

/** The engine's configuration names the loopback address. */
const named = (url: string): string => url.replace('//127.0.0.1:', '//localhost:');
