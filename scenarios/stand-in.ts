/** A stand-in for a test: a world on a standing clock, behind a door that lets no answer pass that breaks its contract. */
import { checkedFetch } from '../contracts/checked.ts';
import { loadContracts } from '../contracts/contract.ts';
import { loadSimulator, type Simulator, type StartOptions } from '../sim/index.ts';

interface Ask {
  readonly method?: string;
  readonly user?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; a test that asks for it of another body fails. */
  json(): Json;
}

/** JSON as a test looks into it. */
export type Json = { readonly [key: string]: Json } & { readonly [index: number]: Json } & (
    | object
    | string
    | number
    | boolean
    | null
  );

export interface StandIn {
  readonly simulator: Simulator;
  /** The door itself, for requests that {@link ask} cannot make. */
  fetch(request: Request): Promise<Response>;
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** Asks, and moves the clock until the answer is there: for requests that wait. */
  askWaiting(path: string, ask?: Ask): Promise<Answer>;
  /** Lets simulated time pass. */
  pass(ms: number): Promise<void>;
}

const ORIGIN = 'http://127.0.0.1:1337';

export async function standIn(options: StartOptions = {}): Promise<StandIn> {
  const simulator = await loadSimulator({ timing: { name: 'fast' }, ...options });
  const contracts = await loadContracts();
  const fetch = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations);

  async function ask(path: string, { method, user, token, body, headers = {} }: Ask = {}): Promise<Answer> {
    const authorization: Record<string, string> = {};
    if (user !== undefined) authorization.Authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    if (token !== undefined) authorization.Authorization = `bearer ${token}`;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(
      new Request(ORIGIN + path, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...authorization, ...headers },
        ...(text === undefined ? {} : { body: text }),
      }),
    );
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text: answer,
      json: () => JSON.parse(answer) as Json,
    };
  }

  return {
    simulator,
    fetch,
    ask,
    async askWaiting(path, options) {
      const { clock } = simulator.world;
      let done = false;
      const answer = ask(path, options).finally(() => {
        done = true;
      });
      await clock.advance(0);
      await clock.runUntil(() => done, { maxMs: 3_600_000 });
      return answer;
    },
    async pass(ms) {
      await simulator.world.clock.advance(ms);
    },
  };
}
