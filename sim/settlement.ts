/** What goes with a world from one simulator into another, and what has to be settled before. */
import type { EngineConfig } from './api/engine/config.ts';
import type { GatekeeperConfig } from './api/gatekeeper/config.ts';
import type { Clock } from './kernel/clock.ts';
import { Unreadable, Unsettled } from './kernel/held.ts';
import { unlike } from './kernel/likeness.ts';
import type { SimulatorConfig, World } from './simulator.ts';

/** Where the server of a world listens, which is nothing of the world. */
type EngineAddresses = 'one_xmlrpc' | 'oneflow_server' | 'host' | 'port';
type StreamAddresses = 'streamHost' | 'streamBase';

/** The settings that a world's future depends on. */
export interface Settings
  extends Pick<
    SimulatorConfig,
    'seed' | 'epochMs' | 'factor' | 'timing' | 'cloud' | 'deviations' | 'journalCapacity' | 'faultHeader'
  > {
  readonly engine: Omit<EngineConfig, EngineAddresses>;
  readonly gatekeeper: Omit<GatekeeperConfig, StreamAddresses>;
}

export function settingsOf({ config, pace: { factor } }: World): Settings {
  const { seed, epochMs, timing, cloud, deviations, journalCapacity, faultHeader } = config;
  const { one_xmlrpc, oneflow_server, host, port, ...engine } = config.engine;
  const { streamHost, streamBase, ...gatekeeper } = config.gatekeeper;
  return { seed, epochMs, factor, timing, cloud, engine, gatekeeper, deviations, journalCapacity, faultHeader };
}

/** What settings are like. A timing says of one action what it does not of another. */
export function anySettings(world: World): object {
  const settings = settingsOf(world);
  return { ...settings, timing: { ...settings.timing, actions: null, failing: null } };
}

/** The present configuration, with the settings of a world from elsewhere. */
export const resettled = (config: SimulatorConfig, settings: Settings): SimulatorConfig => ({
  ...config,
  ...settings,
  engine: { ...config.engine, ...settings.engine },
  gatekeeper: { ...config.gatekeeper, ...settings.gatekeeper },
});

/** So many waiting requests are named. */
const MOST_NAMED = 5;

/** @throws Unsettled while something is under way that belongs to a connection, and not to the world */
export function requireSettled({ moving, waiters }: Clock): void {
  if (moving) throw new Unsettled('The clock is being moved: wait until it has arrived');
  if (waiters.length === 0) return;
  const named = waiters.slice(0, MOST_NAMED).map(({ what, due }) => `${what} (until ${new Date(due).toISOString()})`);
  const more = waiters.length > MOST_NAMED ? ` and ${waiters.length - MOST_NAMED} more` : '';
  throw new Unsettled(
    `Requests wait for simulated time to pass, and belong to their connections: ${named.join(', ')}${more}. Let them be answered first`,
  );
}

/** Gives a holder its state. @param fresh what it is like @throws Unreadable */
export function takeOver<S>(part: string, fresh: unknown, given: unknown, act: (state: S) => void): void {
  try {
    const why = unlike(fresh, given);
    if (why !== undefined) throw new Error(why);
    act(given as S);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Unreadable(`The part "${part}" of the snapshot does not fit: ${why}`);
  }
}
