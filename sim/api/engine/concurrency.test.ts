/** Requests that overlap: what becomes of them is decided by the order of their calls to OpenNebula, and by nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator, furnishing } from '../../index.ts';
import { TIMINGS } from '../../one/timing.ts';
import { ENGINE_DEVIATIONS } from './deviations.ts';
import { Playback } from './recorded-playback.ts';

const contracts = await loadContracts();
const furnish = await furnishing('recorded');
const UPSTREAM = new Set<string>(ENGINE_DEVIATIONS);
const HEADERS = new Headers({ Authorization: `Basic ${Buffer.from('tester:testerpass').toString('base64')}` });

const body = (cpu: number, disk: number): string =>
  `{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function","CPU":${cpu},"MEMORY":128,"DISK_SIZE":${disk}}}}`;

interface Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly cpu: number;
  readonly disk: number;
  /** Milliseconds after the one before. */
  readonly afterMs: number;
}

const request: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'PUT', 'DELETE'),
  cpu: fc.integer({ min: 1, max: 4 }),
  disk: fc.integer({ min: 1024, max: 1027 }),
  afterMs: fc.nat({ max: 2_500 }),
});

interface Outcome {
  /** Statuses and bodies, in the order of the requests. */
  readonly answers: readonly (readonly [status: number, text: string])[];
  /** What state the VM was in when each request arrived; `gone` when the runtime was. */
  readonly found: readonly string[];
  /** What is left when all has come to rest. */
  readonly last: readonly [status: number, text: string];
  readonly vm: string;
  readonly cpu: number | null;
}

/** A world whose every answer is held against the contract. */
function begin(deviations: ReadonlySet<string>): Playback {
  const simulator = createSimulator({ furnish, timing: TIMINGS.fast, deviations });
  const fetch = checkedFetch(simulator.fetch, contracts, deviations);
  return new Playback({ cloud: simulator.world.cloud, fetch });
}

/** Sends the requests to one runtime that runs already, whose VM takes so much longer to resize. */
async function play(requests: readonly Request[], deviations: ReadonlySet<string>, slowMs = 0): Promise<Outcome> {
  const world = begin(deviations);
  world.cloud.judge.arm({ selector: { layer: 'vm', operation: 'resize' }, effect: { do: 'delay', ms: slowMs } });
  const made = JSON.parse(await (await world.ask('POST', '/serverless-runtimes', HEADERS, body(2, 1024))).text());
  const { ID, FAAS } = made.SERVERLESS_RUNTIME;
  const path = `/serverless-runtimes/${ID}`;
  await world.settle();
  const pending: Promise<readonly [number, string]>[] = [];
  const found: string[] = [];
  const ask = async (method: string, text?: string): Promise<readonly [number, string]> => {
    const answer = await world.ask(method, path, HEADERS, text);
    return [answer.status, await answer.text()];
  };
  for (const { method, cpu, disk, afterMs } of requests) {
    await world.cloud.clock.advance(afterMs);
    found.push(world.cloud.documents.find(ID) === undefined ? 'gone' : world.cloud.vms.get(FAAS.VM_ID).state);
    pending.push(ask(method, method === 'PUT' ? body(cpu, disk) : undefined));
    // It comes as far as its first wait before the next one is sent.
    for (let turn = 0; turn < 10; turn++) await world.cloud.clock.advance(0);
  }
  const answers = await Promise.all(pending);
  await world.settle();
  const { state, vcpu } = world.cloud.vms.get(FAAS.VM_ID);
  return { answers, found, last: await ask('GET'), vm: state, cpu: vcpu };
}

it('gives every request an answer that keeps the contract, and shows at last what the VM is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 6 }), async (requests) => {
      const { answers, last, vm, cpu } = await play(requests, UPSTREAM);
      const gone = answers.filter(([status], i) => requests[i]?.method === 'DELETE' && status === 204).length;
      expect(gone).toBeLessThanOrEqual(1);
      expect(last[0]).toBe(gone === 1 ? 404 : 200);
      if (gone === 0) {
        expect(vm).toBe('RUNNING');
        expect(JSON.parse(last[1]).SERVERLESS_RUNTIME.FAAS).toMatchObject({ STATE: 'RUNNING', CPU: cpu });
      }
    }),
    { seed: 1, numRuns: 60 },
  );
}, 60_000);

it('leaves no VM behind a deleted runtime where the contract is kept', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 6 }), async (requests) => {
      const { last, vm } = await play(requests, new Set());
      expect(vm).toBe(last[0] === 404 ? 'DONE' : 'RUNNING');
    }),
    { seed: 2, numRuns: 60 },
  );
}, 60_000);

it('gives the same answers again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 5 }), async (requests) => {
      expect(await play(requests, UPSTREAM)).toEqual(await play(requests, UPSTREAM));
    }),
    { seed: 3, numRuns: 20 },
  );
}, 60_000);

/** What a request is answered with, by what it finds. A resize of capacity is all that goes on in the VM here. */
const ANSWERS: Readonly<Record<string, Readonly<Record<Request['method'], number>>>> = {
  RUNNING: { GET: 200, PUT: 200, DELETE: 204 },
  HOTPLUG_RESIZE: { GET: 200, PUT: 423, DELETE: 204 },
  gone: { GET: 404, PUT: 404, DELETE: 404 },
};

it('decides every request by what it finds when it comes', async () => {
  const capacityOnly = fc.array(
    request.map((each) => ({ ...each, disk: 1024 })),
    { minLength: 2, maxLength: 6 },
  );
  const met = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(capacityOnly, fc.nat({ max: 6_000 }), async (requests, slowMs) => {
      const { answers, found, cpu } = await play(requests, UPSTREAM, slowMs);
      const deleted = requests.findIndex(({ method }, i) => method === 'DELETE' && found[i] !== 'gone');
      let last = 2;
      for (const [i, [status, text]] of answers.entries()) {
        const { method, cpu: wanted } = requests[i] as Request;
        const state = found[i] ?? '';
        met.set(`${method} ${state}`, (met.get(`${method} ${state}`) ?? 0) + 1);
        // The runtime of an update that still waits is gone at its end.
        const overtaken = method === 'PUT' && state === 'RUNNING' && i < deleted && status !== 200;
        expect(overtaken ? 500 : ANSWERS[state]?.[method], `${method} in ${state}: ${text}`).toBe(status);
        if (method === 'PUT' && state === 'RUNNING') last = wanted;
        if (method === 'GET' && state === 'HOTPLUG_RESIZE') expect(text).toContain('"STATE":"UPDATING"');
      }
      // Of the updates, those that found it running were made, one after the other.
      expect(cpu).toBe(last);
    }),
    { seed: 4, numRuns: 100 },
  );
  const every = Object.keys(ANSWERS).flatMap((state) => ['GET', 'PUT', 'DELETE'].map((method) => `${method} ${state}`));
  expect([...met.keys()].sort()).toEqual(every.sort());
}, 60_000);

it('makes a runtime of each creation, however alike and however close they are', async () => {
  const gaps = fc.array(fc.nat({ max: 1_500 }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.boolean(), async (afterMs, named) => {
      const world = begin(UPSTREAM);
      const text = named ? body(2, 1024).replace('"FAAS"', '"NAME":"twin","FAAS"') : body(2, 1024);
      const pending: Promise<Response>[] = [];
      for (const ms of afterMs) {
        await world.cloud.clock.advance(ms);
        pending.push(world.ask('POST', '/serverless-runtimes', HEADERS, text));
      }
      const answers = await Promise.all(pending);
      const made = await Promise.all(answers.map(async (answer) => JSON.parse(await answer.text()).SERVERLESS_RUNTIME));
      expect(answers.map(({ status }) => status)).toEqual(afterMs.map(() => 201));
      for (const distinct of ['ID', 'SERVICE_ID', ...(named ? [] : ['NAME'])]) {
        expect(new Set(made.map((runtime) => runtime[distinct])).size, distinct).toBe(made.length);
      }
      expect(new Set(made.map(({ FAAS }) => FAAS.VM_ID)).size).toBe(made.length);
      await world.settle();
      // Each goes by itself.
      for (const { ID } of made) {
        const path = `/serverless-runtimes/${ID}`;
        expect((await world.ask('GET', path, HEADERS)).status).toBe(200);
        expect((await world.ask('DELETE', path, HEADERS)).status).toBe(204);
        expect((await world.ask('GET', path, HEADERS)).status).toBe(404);
      }
    }),
    { seed: 5, numRuns: 30 },
  );
}, 60_000);
