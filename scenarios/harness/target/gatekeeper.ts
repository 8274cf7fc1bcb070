/**
 * The Gatekeeper's half of `onesim verify --target`: lists, single elements, sessions and both kinds of monitoring data
 * are read as its clients do, and every answer is held against the contract. Nothing is changed but the session.
 */
import { loadContracts } from '../../../contracts/contract.ts';
import { decoded } from '../../../contracts/probe.ts';
import { valueAt } from '../../../contracts/schema.ts';
import { type Machine, Problem } from '../../../sim/index.ts';
import type { Judged } from '../junit.ts';
import { type Law, shownBy } from '../law.ts';
import { judge } from '../laws.ts';
import { reportsOf } from '../run-files.ts';
import type { Stop } from '../stop.ts';
import type { Answer, ExchangeLine, Trace } from '../trace.ts';
import { type Departure, departuresOf, profileOf } from './departures.ts';
import { Ledger } from './ledger.ts';
import type { Outside } from './outside.ts';
import { stageOf } from './stage.ts';
import {
  closingLines,
  contractIn,
  departureLines,
  type Outcome,
  scenarioLines,
  type TargetSettings,
  wrongOf,
} from './target.ts';
import { problemOf, Wire } from './wire.ts';

interface Settings extends TargetSettings {
  /** `user:password` */
  readonly gatekeeper: string | undefined;
}

/** Who is in the worlds that come with onesim. */
const SONATA = 'sonata:1234';

/** Part of a function instance, as its monitoring data is found by. */
interface Part {
  readonly instance: string;
  readonly vdu: string;
  readonly vc: string;
}

/** As the probes have it. */
const PROBED: Part = {
  instance: 'e60558d6-91c3-4196-abad-46079a0e3c61',
  vdu: 'vdu01',
  vc: 'fa8869e3-cc5f-4a5e-8520-932226d804e1',
};

const NOBODYS = '00000000-0000-4000-8000-000000000000';

/** A request for live data as the probes have it, and the range that the user guide demands. */
const BARE = 'synch-mon-data?metrics=';
const RANGE = 'since=2017-08-29T12:54:47Z&until=2017-08-29T13:54:47Z&step=14';

/** How long a stream is listened to, and for how many frames. */
const LISTEN = { withinMs: 15_000, count: 3 } as const;

export async function verifyGatekeeper(
  laws: readonly Law[],
  settings: Settings,
  outside: Outside,
  machine: Pick<Machine, 'out'>,
  stop: Stop,
): Promise<Outcome> {
  const session = settings.gatekeeper ?? SONATA;
  const target = settings.target.replace(/\/api\/v2$/, '');
  const options = { target, rate: settings.rate, serial: true, timeoutMs: settings.timeoutMs, secrets: [session] };
  const ledger = new Ledger(outside.mark(), async () => {});
  const wire = new Wire(outside, ledger, options);
  const ending = {
    get aborted() {
      return stop.aborted || wire.now() >= settings.maxDurationMs;
    },
  };
  const contracts = await loadContracts();
  const rows = contractIn(contracts, 'gatekeeper.yaml').deviations;
  const client = new Client(wire, outside);
  const token = await client.logIn(session);
  machine.out(`${target}/api/v2: Gatekeeper, level read`);
  const part = await client.anyPart(token);

  const departures: Departure[] = [];
  const words = wordsOf(session, part);
  const stage = stageOf({
    ...{ wire, ledger, credentials: settings.credentials, flavour: settings.flavour, takesFaults: false },
    ...{ words, patienceMs: 0, frames: outside.frames, control: target },
    asUpstream: (_method, _path, status) => status,
  });
  const circumstances = {
    ...({ level: 'read', takesFaults: false, ownCloud: false, today: outside.today() } as const),
    credentials: { owner: session, other: undefined, admin: undefined },
  };
  const probed = rows.filter((row) => part !== undefined || !JSON.stringify(row.probe).includes(PROBED.instance));
  for await (const departure of departuresOf(probed, circumstances, stage, async () => {})) {
    departures.push(departure);
    // The other probes take for granted that the range may be left out.
    const { row, outcome } = departure;
    if (row.id === 'synch-range-optional' && outcome === 'absent')
      words.set(BARE, `${BARE.slice(0, -8)}${RANGE}&metrics=`);
    if (ending.aborted) break;
  }
  const unseen = rows.filter((row) => !probed.includes(row));
  departures.push(...unseen.map((row): Departure => ({ row, outcome: 'unobserved', why: 'no function runs there' })));
  const profile = settings.profile === 'auto' ? profileOf(departures) : settings.profile;
  for (const line of departureLines(departures, profile, settings.profile)) machine.out(line);

  const start = wire.now();
  if (!ending.aborted) await client.readAll(token, part, ending);
  const expected = profile === 'upstream' ? rows.map(({ id }) => id) : [];
  const trace = client.trace(expected, profile);
  const own = [...laws, readingLaw(client.expected)];
  const verdict = judge(own, trace);
  const judged: Judged = {
    name: 'reading the Gatekeeper',
    verdict,
    reports: reportsOf(own, trace, verdict, ''),
    trace,
  };
  for (const line of scenarioLines(judged, trace, 0, 1, wire.now() - start)) machine.out(line);
  const broken = verdict.violations.length + wrongOf(departures, profile);
  const outcome: Outcome = {
    ...({ api: 'gatekeeper', judged: [judged], traces: [trace], departures, profile, broken, left: [] } as const),
    early: ending.aborted,
  };
  for (const line of closingLines(outcome, own, contracts, wire)) machine.out(line);
  return outcome;
}

/** What stands in the probes, and what it is here. */
function wordsOf(session: string, part: Part | undefined): Map<string, string> {
  const [user = '', ...password] = session.split(':');
  return new Map([
    ['"username":"sonata"', `"username":${JSON.stringify(user)}`],
    ['"password":"1234"', `"password":${JSON.stringify(password.join(':'))}`],
    ...(part === undefined
      ? []
      : ([[`${PROBED.instance}/${PROBED.vdu}/${PROBED.vc}`, `${part.instance}/${part.vdu}/${part.vc}`]] as const)),
  ]);
}

export const GATEKEEPER_LAW: Omit<Law, 'judge'> = {
  id: 'G1',
  sentence: 'What the Gatekeeper is asked for, it has; who has no token is not let in; what is not there is not found.',
  reason: 'The contract lists every answer that may come, not which one has to.',
};

/** @param expected status by operation; the contract says the rest */
const readingLaw = (expected: ReadonlyMap<string, number>): Law => ({
  ...GATEKEEPER_LAW,
  judge(story, check) {
    for (const exchange of story.answered) {
      const wanted = expected.get(exchange.op);
      if (wanted === undefined) continue;
      check(exchange.response.status === wanted, () =>
        shownBy(exchange, {
          subject: exchange.request.path,
          expected: `${wanted}`,
          seen: `${exchange.response.status}`,
          edge: exchange.op,
        }),
      );
    }
  },
});

interface Asking {
  readonly token?: string;
  readonly authorization?: string;
  readonly status?: number;
}

class Client {
  readonly #wire: Wire;
  readonly #outside: Pick<Outside, 'frames' | 'today'>;
  readonly #lines: ExchangeLine[] = [];
  /** Statuses, by operation. */
  readonly expected = new Map<string, number>();

  constructor(wire: Wire, outside: Pick<Outside, 'frames' | 'today'>) {
    this.#wire = wire;
    this.#outside = outside;
  }

  trace(deviations: readonly string[], profile: 'upstream' | 'contract'): Trace {
    const scenario = { v: 1, name: 'reading the Gatekeeper', profile, steps: [] } as const;
    const { target } = this.#wire;
    return {
      run: { kind: 'run', v: 1, transport: 'http', target, deviations, epochMs: 0, scenario },
      lines: this.#lines,
    };
  }

  /** @returns the token. @throws Problem */
  async logIn(session: string): Promise<string> {
    const [username = '', ...password] = session.split(':');
    const body = JSON.stringify({ username, password: password.join(':') });
    const answer = await this.#ask('log in', 'POST', '/sessions', {}, body);
    const token = valueAt(decoded(answer?.body ?? ''), '/token/access_token');
    if (answer === null) {
      const [line] = this.#lines;
      throw new Problem(`--target: ${this.#wire.target} does not answer: ${line?.problem}`);
    }
    if (answer.status === 401) throw new Problem(`--gatekeeper-auth: the Gatekeeper does not let ${username} in`);
    if (typeof token !== 'string') {
      throw new Problem(`--target: there is no Gatekeeper: POST /api/v2/sessions was answered with ${answer.status}`);
    }
    return token;
  }

  /** Some part of some function that runs. */
  async anyPart(token: string): Promise<Part | undefined> {
    const answer = await this.#ask('records', 'GET', '/records/functions?limit=20', { token, status: 200 });
    const records = decoded(answer?.body ?? '');
    for (const record of Array.isArray(records) ? records : []) {
      for (const unit of listAt(record, '/virtual_deployment_units')) {
        for (const component of listAt(unit, '/vnfc_instance')) {
          const [instance, vdu, vc] = [valueAt(record, '/uuid'), valueAt(unit, '/id'), valueAt(component, '/vc_id')];
          if (typeof instance === 'string' && typeof vdu === 'string' && typeof vc === 'string') {
            return { instance, vdu, vc };
          }
        }
      }
    }
    return undefined;
  }

  async readAll(token: string, part: Part | undefined, stop: Stop): Promise<void> {
    const get = (op: string, path: string, asking: Asking = {}) => this.#ask(op, 'GET', path, { token, ...asking });
    const list = await get('list', '/functions', { status: 200 });
    const all = decoded(list?.body ?? '');
    const uuids = (Array.isArray(all) ? all : [])
      .map((each) => valueAt(each, '/uuid'))
      .filter((id) => typeof id === 'string');
    const reads: readonly (readonly [string, string, Asking])[] = [
      ['no token', '/functions', { authorization: '', status: 401 }],
      ['no bearer', '/functions', { authorization: 'Basic x', status: 400 }],
      ['dead token', '/functions', { authorization: 'bearer dead', status: 401 }],
      ['page', '/functions?offset=0&limit=1', { status: 200 }],
      ['second page', '/functions?offset=1&limit=1', { status: 200 }],
      ['past the end', '/functions?offset=1000&limit=5', { status: 200 }],
      ['fields', '/functions?fields=uuid,vnfd,name', { status: 200 }],
      ['filter', '/functions?vendor=no.such.vendor', { status: 200 }],
      ...uuids.slice(0, 2).map((id) => ['function', `/functions/${id}`, { status: 200 }] as const),
      ['no such function', `/functions/${NOBODYS}`, { status: 404 }],
      ['no uuid', '/functions/not-a-uuid', { status: 404 }],
      ['no path', '/no-such-path', { status: 404 }],
      ['names', '/functions/metrics/names', { status: 200 }],
      ['services', '/services', { status: 200 }],
      ['service records', '/records/services', { status: 200 }],
      ['public key', '/micro-services/public-key', { status: 200 }],
      ...(part === undefined ? [] : monitoringReads(part, await this.#present(token))),
    ];
    for (const [op, path, asking] of reads) {
      if (stop.aborted) return;
      await get(op, path, asking);
    }
    if (part !== undefined && !stop.aborted) await this.#listen(token, part);
  }

  /** Some instant before which there is data, as the server's clock has it, in seconds since the Unix epoch. */
  async #present(token: string): Promise<number> {
    const answer = await this.#ask('names', 'GET', '/functions/metrics/names', { token });
    const date = Date.parse(answer?.headers.find(([name]) => name.toLowerCase() === 'date')?.[1] ?? '');
    return Math.floor((Number.isNaN(date) ? Date.parse(this.#outside.today()) : date) / 1_000) - 60;
  }

  /** The first frame says that the stream is open, and what follows is about what was asked for. */
  async #listen(token: string, part: Part): Promise<void> {
    const path = `${monitoringPath(part)}/synch-mon-data?metrics=${METRIC}&${RANGE}`;
    const answer = await this.#ask('live', 'GET', path, { token, status: 200 });
    const stream = valueAt(decoded(answer?.body ?? ''), '/ws_url');
    if (typeof stream !== 'string' || !URL.canParse(stream)) return;
    const sent = this.#wire.now();
    let problem: string | null = null;
    let frames: readonly unknown[] = [];
    try {
      frames = await this.#outside.frames(stream, LISTEN);
    } catch (error) {
      problem = problemOf(error);
    }
    const [first] = frames;
    const opened = JSON.stringify(first) === '{"Status":"Socket Opened"}';
    if (problem === null && !opened) problem = `its first frame is ${JSON.stringify(first)?.slice(0, 100) ?? 'none'}`;
    if (problem === null) return;
    this.#note('stream', sent, { method: 'GET', path: new URL(stream).pathname, body: null }, null, problem);
  }

  async #ask(op: string, method: string, path: string, asking: Asking, body?: string): Promise<Answer | null> {
    if (asking.status !== undefined) this.expected.set(op, asking.status);
    const authorization = asking.authorization ?? (asking.token === undefined ? '' : `bearer ${asking.token}`);
    const request = new Request(`${this.#wire.target}/api/v2${path}`, {
      method,
      headers: {
        ...(authorization === '' ? {} : { Authorization: authorization }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const sent = this.#wire.now();
    let answer: Answer | null = null;
    let problem: string | null = null;
    try {
      answer = await this.#wire.send(request);
    } catch (error) {
      problem = problemOf(error);
    }
    // The only body is that of logging in, which is no one's to read.
    this.#note(op, sent, { method, path: `/api/v2${path}`, body: null }, answer, problem);
    return answer;
  }

  #note(
    op: string,
    sent: number,
    request: ExchangeLine['request'],
    response: Answer | null,
    problem: string | null,
  ): void {
    const seq = this.#lines.length + 1;
    const at = this.#wire.now();
    const nothing = { ref: null, id: null, entry: null, until: null } as const;
    const step = op.replaceAll(' ', '-');
    const who = { as: 'owner', auth: 'good' } as const;
    this.#lines.push({ kind: 'exchange', seq, sent, at, step, op, ...who, ...nothing, request, response, problem });
  }
}

const listAt = (value: unknown, pointer: string): readonly unknown[] => {
  const list = valueAt(value, pointer);
  return Array.isArray(list) ? list : [];
};

const METRIC = 'vm_cpu_perc';

const monitoringPath = ({ instance, vdu, vc }: Part): string => `/functions/metrics/${instance}/${vdu}/${vc}`;

/** @param until seconds since the Unix epoch */
function monitoringReads(part: Part, until: number): (readonly [string, string, Asking])[] {
  const path = `${monitoringPath(part)}/asynch-mon-data`;
  const time = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(/\.\d+/, '');
  const range = `since=${time(until - 140)}&until=${time(until)}&step=14`;
  return [
    ['history', `${path}?metrics=${METRIC}&${range}`, { status: 200 }],
    ['history of two', `${path}?metrics=${METRIC},vm_mem_perc&${range}`, { status: 200 }],
    [
      'history without a step',
      `${path}?metrics=${METRIC}&since=${time(until - 140)}&until=${time(until)}`,
      { status: 400 },
    ],
    ['history without metrics', `${path}?${range}`, { status: 400 }],
    ['history without a token', `${path}?metrics=${METRIC}&${range}`, { authorization: '', status: 401 }],
    ['live without metrics', `${monitoringPath(part)}/synch-mon-data`, { status: 400 }],
  ];
}
