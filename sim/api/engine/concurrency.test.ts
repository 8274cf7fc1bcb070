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
  /** What is left when all has come to rest. */
  readonly last: readonly [status: number, text: string];
  readonly vm: string;
  readonly cpu: number | null;
}

/** Sends the requests to one runtime that runs already. Every answer is held against the contract. */
async function play(requests: readonly Request[], deviations: ReadonlySet<string>): Promise<Outcome> {
  const simulator = createSimulator({ furnish, timing: TIMINGS.fast, deviations });
  const fetch = checkedFetch(simulator.fetch, contracts, deviations);
  const world = new Playback({ cloud: simulator.world.cloud, fetch });
  const made = JSON.parse(await (await world.ask('POST', '/serverless-runtimes', HEADERS, body(2, 1024))).text());
  const { ID, FAAS } = made.SERVERLESS_RUNTIME;
  const path = `/serverless-runtimes/${ID}`;
  await world.settle();
  const pending: Promise<readonly [number, string]>[] = [];
  const ask = async (method: string, text?: string): Promise<readonly [number, string]> => {
    const answer = await world.ask(method, path, HEADERS, text);
    return [answer.status, await answer.text()];
  };
  for (const { method, cpu, disk, afterMs } of requests) {
    await world.cloud.clock.advance(afterMs);
    pending.push(ask(method, method === 'PUT' ? body(cpu, disk) : undefined));
  }
  const answers = await Promise.all(pending);
  await world.settle();
  const { state, vcpu } = world.cloud.vms.get(FAAS.VM_ID);
  return { answers, last: await ask('GET'), vm: state, cpu: vcpu };
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
