/** Every deviation, probed on the stand-in: with it on the answers are upstream's, with it alone off they keep the contract. */
import { createServer, type Server } from 'node:http';
import { duplexPair } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { loadSimulator, type Simulator, type StartOptions } from '../sim/index.ts';
import { type Coverage, checkedFetch } from './checked.ts';
import { loadContracts } from './contract.ts';
import type { Deviation } from './deviations.ts';
import { answerFlaws, decoded, playProbe, type Side, type Stage } from './probe.ts';
import { engineRecordings } from './recordings.ts';

const contracts = await loadContracts();
const rows = contracts.flatMap(({ deviations }) => deviations);

const ACCOUNTS = { owner: 'alice:alice', other: 'bob:bob', admin: 'oneadmin:opennebula' };

/** As long as a pass of the loop that waits for something lasts, in simulated time. */
const TICK_MS = 100;
const LONGEST_MS = 600_000;

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

/** A stand-in in this process: its clock is moved, its WebSockets are on no network. */
function stageOf(simulator: Simulator, fetch: Stage['fetch']): Stage {
  const { clock } = simulator.world;
  const server: Server = createServer();
  server.on('upgrade', (request, socket, head) => simulator.upgrade(request, socket, head));

  /** Lets time pass until something holds, at most so long. */
  async function passUntil(holds: () => boolean, mostMs: number): Promise<void> {
    await clock.advance(0);
    for (let ms = 0; !holds() && ms < mostMs; ms += TICK_MS) {
      await clock.advance(TICK_MS);
      // What was sent in that time arrives.
      for (let turn = 0; turn < 5; turn++) await clock.advance(0);
    }
  }

  return {
    origin: 'http://127.0.0.1:1337',
    accounts: ACCOUNTS,
    fetch,
    async pass(ms) {
      await clock.advance(ms);
    },
    async arrival(coming) {
      let settled = false;
      const settle = (): void => {
        settled = true;
      };
      coming.then(settle, settle);
      await passUntil(() => settled, LONGEST_MS);
      if (!settled) throw new Error(`no answer within ${LONGEST_MS} ms`);
      return coming;
    },
    async frames(url, { send, count, withinMs }) {
      const [near, far] = duplexPair();
      server.emit('connection', far);
      const socket = new WebSocket(url, { createConnection: () => near as never });
      sockets.push(socket);
      const frames: unknown[] = [];
      socket.on('message', (text) => frames.push(JSON.parse(text.toString())));
      await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
      if (send !== undefined) socket.send(send);
      await passUntil(() => frames.length >= count, withinMs);
      return frames;
    },
  };
}

interface Played {
  readonly flaws: readonly string[];
  readonly coverage: Coverage;
}

/** Plays it on a world of its own; an answer that breaks the contract, as far as it is switched on, is thrown. */
async function play(row: Deviation, side: Side, deviations: StartOptions['deviations'] = {}): Promise<Played> {
  const { timeout } = row.probe;
  const simulator = await loadSimulator({
    deviations,
    ...(timeout === undefined ? {} : { engineTimeout: timeout }),
  });
  const coverage: Coverage = { answers: new Map(), deviations: new Map() };
  const fetch = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations, coverage);
  try {
    return { flaws: await playProbe(row, side, stageOf(simulator, fetch)), coverage };
  } finally {
    simulator.close();
  }
}

describe.each(rows.map((row) => [row.id, row] as const))('%s', (id, row) => {
  const widens = row.effect.accepts.length > 0;

  test('on: departs from the contract as upstream does', async () => {
    const { flaws, coverage } = await play(row, 'on');
    expect(flaws).toEqual([]);
    expect(coverage.deviations.has(id)).toBe(widens);
  });

  test('off, and no other: keeps the contract', async () => {
    const { flaws, coverage } = await play(row, 'off', { [id]: false });
    expect(flaws).toEqual([]);
    expect(coverage.deviations.has(id)).toBe(false);
  });

  test('either is told from the other', async () => {
    expect((await play(row, 'off')).flaws).not.toEqual([]);
    expect((await play(row, 'on', { [id]: false })).flaws).not.toEqual([]);
  });
});

/** Rows whose probe sees the difference where no recording looks. */
const SEEN_ELSEWHERE: Readonly<Record<string, string>> = {
  'delete-leaks-vm': 'its probe looks at the VM, which the engine does not show any more',
};

test('what a probe expects of upstream is what its recordings show', async () => {
  const recordings = await engineRecordings();
  const unlike = rows.flatMap(({ id, evidence, probe }) => {
    const names = evidence.flatMap((each) => ('recording' in each ? [each.recording] : []));
    if (names.length === 0) return [];
    const telling = probe.steps.flatMap((step) => ('method' in step && step.otherwise ? [step.expect] : []));
    const shown = recordings.filter(({ name }) => names.includes(name)).map(({ exchange }) => exchange);
    const like = telling.some((wanted) =>
      shown.some((answer) => answerFlaws(wanted, { ...answer, body: decoded(answer.body) }).length === 0),
    );
    return like ? [] : [id];
  });
  expect(unlike.sort()).toEqual(Object.keys(SEEN_ELSEWHERE).sort());
});
