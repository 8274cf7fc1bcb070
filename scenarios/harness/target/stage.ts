/** The stage on which probes are played on a server that is not ours: what they make bears our mark, and is put away. */
import type { Stage } from '../../../contracts/probe.ts';
import { functionsIn } from '../answers.ts';
import { authorization, type Credentials, xmlRpc } from '../request.ts';
import type { Ledger } from './ledger.ts';
import type { Wire } from './wire.ts';

export interface StageOptions {
  readonly wire: Wire;
  readonly ledger: Ledger;
  readonly credentials: Credentials;
  /** What stands in the probes, and what it is on this server. */
  readonly words: ReadonlyMap<string, string>;
  readonly flavour: string;
  readonly takesFaults: boolean;
  /** Where what is not asked of the engine or the Gatekeeper goes: faults, time, and OpenNebula itself. */
  readonly control: string;
  readonly patienceMs: number;
  readonly frames: Stage['frames'];
  /**
   * Answers in the form of a server that departs in all other points: the rows that are known to be absent. A probe tells
   * its own row from the contract where every other row is as upstream has it.
   */
  asUpstream(method: string, path: string, status: number): number;
}

/** As long as a wait for an answer lasts before simulated time is moved, and how far. */
const [NUDGE_MS, NUDGED_MS, LOOK_MS] = [500, 2_000, 10];
const [SHORTEST_MS, LONGEST_MS] = [250, 4_000];
/** How long a request may be on its way, through an engine, to a stand-in below it. */
const ARRIVING_MS = 1_000;
/** How long machines take to end on a stand-in. */
const SETTLING_MS = 120_000;

/** What OpenNebula, or a stand-in for it, answers below the engine. */
const BELOW = /^\/(_onesim|RPC2|service|service_template)(\/|$)/;

export interface TargetStage extends Stage {
  /** Remembers what the owner has on a cloud of ours before the first probe. */
  lookAround(): Promise<void>;
  /** Ends the virtual machines that probes have seen or left, as an administrator of a cloud of ours may. */
  terminate(): Promise<void>;
}

/** A virtual machine, as a stand-in tells of it. */
interface Machine {
  readonly id: number;
  readonly user: string;
  readonly state: string;
}

export function stageOf(options: StageOptions): TargetStage {
  const { wire, ledger, credentials, words, flavour, takesFaults, control, patienceMs, frames, asUpstream } = options;
  const machines = new Set<number>();
  /** Those that were there before the first probe. */
  const others = new Set<number>();
  let [made, flying] = [0, 0];

  const advance = (ms: number): Promise<unknown> =>
    wire.aside(
      new Request(`${control}/_onesim/clock`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ action: 'advance', ms }),
      }),
    );

  /** What the owner has on a cloud of ours: also the machines of services that nobody was told of. */
  async function running(): Promise<readonly number[]> {
    const owner = credentials.owner?.split(':')[0];
    try {
      const { body } = await wire.aside(new Request(`${control}/_onesim/vms?limit=10000`));
      const { vms }: { readonly vms: readonly Machine[] } = JSON.parse(body);
      return vms.flatMap(({ id, user, state }) => (user === owner && state !== 'DONE' ? [id] : []));
    } catch {
      // Of a stand-in that does not tell, only what was seen in answers is ended.
      return [];
    }
  }

  /** Until nothing that is ours is coming up or being resized. */
  async function quiet(mostMs: number): Promise<void> {
    const start = wire.now();
    for (let pauseMs = SHORTEST_MS; wire.now() - start < mostMs; pauseMs = Math.min(pauseMs * 2, LONGEST_MS)) {
      const looks = ledger.open.flatMap(({ id }) => (id === undefined ? [] : [id]));
      const answers = await Promise.all(
        looks.map((id) => wire.aside(getting(wire.target, id, credentials.owner ?? ''))),
      );
      const moving = answers.some(({ body }) =>
        functionsIn(body).some(({ state }) => state === 'PENDING' || state === 'UPDATING'),
      );
      if (!moving) return;
      await wire.sleep(pauseMs);
    }
  }

  async function answered(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const below = BELOW.test(pathname) ? [[wire.target, control] as const] : [];
    const sent = await marked(request, [...words, ...below], () => `${ledger.mark}-p${++made}`, flavour);
    const { status, headers, body } = await wire.aside(sent);
    for (const { vm } of functionsIn(body)) machines.add(vm);
    const told = {
      status: asUpstream(request.method, pathname, status),
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    };
    return new Response(status === 204 || status === 304 ? null : body, told);
  }

  return {
    origin: wire.target,
    accounts: { owner: credentials.owner ?? '', other: credentials.other ?? '', admin: credentials.admin ?? '' },
    frames,
    async fetch(request) {
      flying++;
      try {
        return await answered(request);
      } finally {
        flying--;
      }
    },
    async pass(ms) {
      // What was sent just now has to have arrived before time passes.
      if (takesFaults && flying > 0) await wire.sleep(ARRIVING_MS);
      if (takesFaults) await advance(ms);
      else await quiet(Math.min(ms, patienceMs));
    },
    async arrival(coming) {
      if (!takesFaults) return coming;
      // Simulated time may stand still there.
      let settled = false;
      const settle = (): void => {
        settled = true;
      };
      coming.then(settle, settle);
      const start = wire.now();
      for (let nudged = start; !settled && wire.now() - start < patienceMs; ) {
        await Promise.race([coming.then(settle, settle), wire.sleep(LOOK_MS)]);
        if (settled || wire.now() - nudged < NUDGE_MS) continue;
        await advance(NUDGED_MS);
        nudged = wire.now();
      }
      return coming;
    },
    async lookAround() {
      for (const vm of await running()) others.add(vm);
    },
    async terminate() {
      for (const vm of await running()) if (!others.has(vm)) machines.add(vm);
      for (const vm of machines) {
        const { method, path, headers, body } = xmlRpc(credentials.admin ?? '', 'one.vm.action', 'terminate-hard', vm);
        await wire.aside(new Request(`${control}${path}`, { method, headers, body }));
      }
      machines.clear();
      if (takesFaults) await advance(SETTLING_MS);
    },
  };
}

const getting = (target: string, id: number, session: string): Request =>
  new Request(`${target}/serverless-runtimes/${id}`, { headers: authorization(session, 'good') });

/** A request with the words of this server, and, where it creates, with a name of ours. */
async function marked(
  request: Request,
  words: readonly (readonly [string, string])[],
  name: () => string,
  flavour: string,
): Promise<Request> {
  const put = (text: string): string => words.reduce((whole, [from, to]) => whole.replaceAll(from, to), text);
  const { method, headers } = request;
  const url = put(request.url);
  if (method === 'GET') return new Request(url, { headers });
  const body = put(await request.text());
  const path = new URL(url).pathname;
  const own = method === 'POST' && path === '/serverless-runtimes' ? named(body, name, flavour) : body;
  return new Request(url, { method, headers, ...(method === 'DELETE' ? {} : { body: own }) });
}

function named(body: string, name: () => string, flavour: string): string {
  try {
    const content = JSON.parse(body);
    const runtime = content.SERVERLESS_RUNTIME;
    if (runtime.FAAS.FLAVOUR === 'Function') runtime.FAAS.FLAVOUR = flavour;
    runtime.NAME ??= name();
    return JSON.stringify(content);
  } catch {
    // What is no runtime is sent as it is: that is what the probe is about.
    return body;
  }
}
