/**
 * Sandboxes: worlds beside the main one, in the same process and behind the same ports, that share nothing with it or
 * with one another: state, clock, seed, faults and journal are their own. A request says by a header or by its path
 * which one it means; whoever is alone in one is not disturbed by tests that run beside.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SandboxDoor, SandboxFacts, SandboxWish } from './api/control/sandboxes.ts';
import { UNFURNISHED } from './api/gatekeeper/furnishing.ts';
import { suggestion } from './kernel/nearest.ts';
import { hostEpochMs } from './kernel/pace.ts';
import type { Soon } from './kernel/soon.ts';
import { whenThere } from './kernel/soon.ts';
import type { Simulator, SimulatorConfig } from './simulator.ts';

const HEADER = 'X-Onesim-Sandbox';
const FOLDER = '/_onesim/sandboxes/';

/** The path under which all that a sandbox answers can be had, too. */
const baseOf = (name: string): string => `${FOLDER}${name}`;

/** What of the configuration is the sandbox's own. */
type Own = Pick<
  SimulatorConfig,
  'seed' | 'factor' | 'epochMs' | 'furnish' | 'faults' | 'onAnswer' | 'sandboxes' | 'gatekeeper'
>;

/** The world of a sandbox that a request means, and what it asks there. */
interface Meant {
  readonly simulator: Simulator;
  /** In front of the path; empty when a header has named the sandbox. */
  readonly base: string;
}

export class Sandboxes implements SandboxDoor {
  readonly #config: SimulatorConfig;
  readonly #begin: (own: Own) => Simulator;
  readonly #virtualEpochMs: number;
  readonly #present: () => Pick<SimulatorConfig, 'seed' | 'factor'>;
  /** By name, oldest first. */
  readonly #simulators = new Map<string, Simulator>();

  /**
   * @param virtualEpochMs where time starts that stands still
   * @param present what a sandbox has of the main world where nobody says otherwise
   */
  constructor(
    config: SimulatorConfig,
    begin: (own: Own) => Simulator,
    virtualEpochMs: number,
    present: () => Pick<SimulatorConfig, 'seed' | 'factor'>,
  ) {
    this.#config = config;
    this.#begin = begin;
    this.#virtualEpochMs = virtualEpochMs;
    this.#present = present;
  }

  get most(): number {
    return this.#config.sandboxes ?? 0;
  }

  list(): readonly SandboxFacts[] {
    return Array.from(this.#simulators, ([name, simulator]) => factsOf(name, simulator));
  }

  find(name: string): SandboxFacts | undefined {
    const simulator = this.#simulators.get(name);
    return simulator && factsOf(name, simulator);
  }

  /** The simulator of a sandbox, for whoever is in the same process. */
  simulator(name: string): Simulator | undefined {
    return this.#simulators.get(name);
  }

  open({
    name = randomUUID(),
    seed = this.#present().seed,
    factor = this.#present().factor,
    world = 'loaded',
  }: SandboxWish): SandboxFacts | 'full' | 'taken' {
    if (this.#simulators.has(name)) return 'taken';
    if (this.#simulators.size >= this.most) return 'full';
    const { onAnswer, gatekeeper, epochMs, furnish, faults, ...config } = this.#config;
    const start = factor === 0 ? this.#virtualEpochMs : hostEpochMs();
    const simulator = this.#begin({
      seed,
      factor,
      epochMs: factor === config.factor ? epochMs : start,
      furnish: world === 'empty' ? () => UNFURNISHED : furnish,
      faults: world === 'empty' ? () => [] : faults,
      onAnswer: (exchange) => onAnswer({ ...exchange, sandbox: name }),
      sandboxes: null,
      gatekeeper: { ...gatekeeper, streamBase: baseOf(name) },
    });
    this.#simulators.set(name, simulator);
    return factsOf(name, simulator);
  }

  /** Ends its streams. */
  close(name: string): boolean {
    this.#simulators.get(name)?.close();
    return this.#simulators.delete(name);
  }

  closeAll(): void {
    for (const name of [...this.#simulators.keys()]) this.close(name);
  }

  /** The answer of the sandbox that a request means; `undefined` when it means none. */
  answer(request: Request, only?: 'oned' | 'oneflow' | 'monitoring'): Soon<Response> | undefined {
    const meant = this.#meant(pathIn(request.url), request.headers.get(HEADER));
    if (meant === undefined) return undefined;
    if (typeof meant === 'string')
      return Response.json({ error: { code: 'not_found', message: meant } }, { status: 404 });
    const { simulator, base } = meant;
    if (base === '') return simulator.answer(request, only);
    return whenThere(simulator.answer(withoutBase(request, base)), (response) => {
      const location = response.headers.get('Location');
      const at = location === null ? -1 : pathStart(location);
      if (location !== null && at >= 0) {
        response.headers.set('Location', location.slice(0, at) + base + location.slice(at));
      }
      return response;
    });
  }

  /** Whether the connection was meant for a sandbox, which has taken it over, or for one that is not there. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const header = request.headers[HEADER.toLowerCase()];
    const url = request.url ?? '';
    const meant = this.#meant(url, typeof header === 'string' ? header : null);
    if (meant === undefined) return false;
    if (typeof meant === 'string') {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return true;
    }
    request.url = url.slice(meant.base.length);
    meant.simulator.upgrade(request, socket, head);
    return true;
  }

  /** A text says why there is none. */
  #meant(path: string, header: string | null): Meant | string | undefined {
    const inPath = path.startsWith(FOLDER) ? /^[^/?]+(?=\/)/.exec(path.slice(FOLDER.length))?.[0] : undefined;
    const name = inPath ?? header;
    if (name === null || this.#config.sandboxes === null) return undefined;
    const simulator = this.#simulators.get(name);
    if (simulator === undefined) {
      const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
      return `There is no sandbox ${shown}${suggestion(name, this.#simulators.keys())}`;
    }
    return { simulator, base: inPath === undefined ? '' : baseOf(name) };
  }
}

const factsOf = (name: string, { world }: Simulator): SandboxFacts => ({
  name,
  seed: world.config.seed,
  now: world.clock.now,
  factor: world.pace.factor,
  path: baseOf(name),
});

/** Where the path begins in a URL, whole or without its origin; -1 in a relative one. */
function pathStart(url: string): number {
  const origin = url.indexOf('://');
  if (origin >= 0) return url.indexOf('/', origin + 3);
  return url.startsWith('/') ? 0 : -1;
}

const pathIn = (url: string): string => url.slice(Math.max(0, pathStart(url)));

function withoutBase(request: Request, base: string): Request {
  const { url, method, headers, body } = request;
  const at = pathStart(url);
  const rest = url.slice(0, at) + url.slice(at + base.length);
  // A body that comes in pieces has to be announced so; the type of fetch does not know that yet.
  const init: RequestInit & { duplex: 'half' } = { method, headers, duplex: 'half' };
  return new Request(rest, method === 'GET' || method === 'HEAD' ? init : { ...init, body });
}
