/** For the tests of the control API: a world whose every answer is held against the contract. */
import { afterAll, describe, expect, it } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { addHost } from '../../one/resources/host.ts';
import { createSimulator, type SimulatorConfig } from '../../simulator.ts';

const contracts = await loadContracts();
const coverage = { answers: new Map<string, number>(), deviations: new Map<string, number>() };

export const EPOCH = Date.UTC(2026, 0, 1);
export const ADMIN = 'oneadmin:opennebula';

/** An entry of the journal. */
interface Told {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly detail: { readonly to?: string };
}

/** What the answers of the API have, all together, as far as tests look into it: the contract has checked which has what. */
interface Body {
  readonly error: { readonly code: string; readonly message: string };
  readonly now: string;
  readonly factor: number;
  readonly fired: number;
  readonly events: readonly Told[];
  readonly nextDue: string | null;
  readonly entries: readonly Told[];
  readonly next: number;
  readonly reached: boolean;
  readonly vms: readonly { readonly name: string }[];
  readonly state: string;
  readonly lcmState: string;
  readonly history: readonly { readonly entry: Told; readonly because: readonly Told[] }[];
  readonly faults: readonly { readonly id: string }[];
  readonly id: string;
  readonly oneOf: readonly object[];
  readonly instances: readonly object[];
  readonly uuid: string;
  readonly status: string;
  readonly functionInstances: readonly { readonly uuid: string }[];
  readonly sandboxes: readonly object[];
  readonly name: string;
}

interface Answer {
  readonly status: number;
  /** Of JSON; what is none is a text. */
  readonly body: Body;
  readonly text: string;
  readonly headers: Headers;
}

export function start(config: Partial<SimulatorConfig> = {}) {
  const simulator = createSimulator({ epochMs: EPOCH, maxBodyBytes: 10_000, ...config });
  const fetch = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations, coverage);
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    origin = 'http://localhost:1337',
  ): Promise<Answer> => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const request = new Request(`${origin}/_onesim${path}`, {
      method,
      headers,
      ...(text === undefined ? {} : { body: text }),
    });
    const response = await fetch(request);
    const answer = await response.text();
    const json = response.headers.get('Content-Type')?.startsWith('application/json') === true;
    const { status } = response;
    return { status, body: json ? JSON.parse(answer) : answer, text: answer, headers: response.headers };
  };
  return { world: () => simulator.world, fetch, call };
}

/** With a VM in PENDING, which will be placed in the next round of the scheduler. */
export function withVm(text = 'NAME=one CPU=1 MEMORY=64 CONTEXT=[A="it\'s"]') {
  const { world, call, fetch } = start();
  const { cloud } = world();
  addHost(cloud, { name: 'host0' });
  const id = cloud.call(ADMIN, 'one.vm.allocate', text);
  return { world, call, fetch, id };
}

export const refused = (answer: Answer): [number, string, string] => [
  answer.status,
  answer.body.error.code,
  answer.body.error.message,
];

/** After the tests of a file: each documented answer of its operations has been given, but for those named and 403, which has a test of its own. */
export function checksAllOf(owns: (operation: string) => boolean, unseen: readonly string[] = []): void {
  const control = contracts.find(({ operations }) => operations.some(({ id }) => id === 'moveClock'));
  const operations = (control?.operations ?? []).filter(({ id }) => owns(id));
  describe('a parameter that there is not', () => {
    it.each(operations.filter(({ answers }) => answers.has(400)))('is refused by $method $path', async (operation) => {
      const { method, path } = operation;
      const { world, call } = start();
      const target = path.slice('/_onesim'.length).replace(/\{\w+\}/g, '0');
      const answer = refused(await call(method, `${target}?foo=1`));
      expect(answer).toEqual([400, 'bad_request', expect.stringMatching(/^The query has no part "foo"/)]);
      expect([...world().journal.since()].map(({ kind }) => kind)).toEqual(['request', 'answer']);
    });
  });
  afterAll(() => {
    const promised = operations.flatMap(({ id, answers }) =>
      [...answers.keys()].filter((status) => status !== 403).map((status) => `${id} ${status}`),
    );
    expect(promised.length).toBeGreaterThan(0);
    expect(promised.filter((answer) => !coverage.answers.has(answer) && !unseen.includes(answer))).toEqual([]);
  });
}
