/**
 * The Gatekeeper's half of `onesim verify --target`: lists, single elements, sessions and both kinds of monitoring data
 * are looked at as its clients do, and held against the laws of what is looked at; nothing is changed but sessions. Time
 * is not ours there: what only the journal, or the clock of a machine, could tell is said to be unobserved.
 */
import { loadContracts } from '../../../contracts/contract.ts';
import { decoded } from '../../../contracts/probe.ts';
import { valueAt } from '../../../contracts/schema.ts';
import { type Machine, Problem } from '../../../sim/index.ts';
import { distinctNames, type Judged } from '../junit.ts';
import type { Law } from '../law.ts';
import { MONITORING } from '../laws/monitoring.ts';
import { PAGES } from '../laws/pages.ts';
import { SESSION_LAWS } from '../laws/sessions.ts';
import { STREAMS } from '../laws/streams.ts';
import { judge } from '../laws.ts';
import { reportsOf } from '../run-files.ts';
import { runScenario } from '../runner.ts';
import type { Stop } from '../stop.ts';
import type { Answer, Trace } from '../trace.ts';
import type { Part } from '../watching/requests.ts';
import { type Departure, departuresOf, profileOf } from './departures.ts';
import { looking } from './gatekeeper-levels.ts';
import { Ledger } from './ledger.ts';
import type { Outside } from './outside.ts';
import { stageOf } from './stage.ts';
import {
  againOf,
  closingLines,
  contractIn,
  departureLines,
  type Outcome,
  scenarioLines,
  type TargetSettings,
  wrongOf,
} from './target.ts';
import { problemOf, Wire } from './wire.ts';

/** As the probes have it. */
const PROBED: Part = {
  instance: 'e60558d6-91c3-4196-abad-46079a0e3c61',
  vdu: 'vdu01',
  vc: 'fa8869e3-cc5f-4a5e-8520-932226d804e1',
};

/** A request for live data as the probes have it, and the range that the user guide demands. */
const BARE = 'synch-mon-data?metrics=';
const RANGE = 'since=2017-08-29T12:54:47Z&until=2017-08-29T13:54:47Z&step=14';

/** How long something is waited for that does not come. */
const PATIENCE_MS = 120_000;

export async function verifyGatekeeper(
  laws: readonly Law[],
  settings: TargetSettings,
  outside: Outside,
  machine: Pick<Machine, 'out' | 'writeFile'>,
  stop: Stop,
): Promise<Outcome> {
  const { sessions, level } = settings;
  const session = sessions.owner ?? '';
  const target = settings.target.replace(/\/api\/v2$/, '');
  const secrets = Object.values(sessions).filter((each) => each !== undefined);
  const { rate, timeoutMs, maxDurationMs } = settings;
  const options = { target, rate, serial: true, timeoutMs, maxDurationMs, secrets, stop, tell: machine.out };
  const ledger = new Ledger(outside.mark(), async () => {});
  const wire = new Wire(outside, ledger, options);
  const ending = {
    get aborted() {
      return stop.aborted || wire.gaveUp || wire.now() >= maxDurationMs;
    },
  };
  const contracts = await loadContracts();
  const rows = contractIn(contracts, 'gatekeeper.yaml').deviations;
  const token = await logIn(wire, session);
  machine.out(`${target}/api/v2: Gatekeeper, level ${level}`);
  const part = await anyPart(wire, token);

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
  departures.push(...unseen.map((row): Departure => ({ row, outcome: 'unobserved', why: UNMEASURED })));
  const profile = settings.profile === 'auto' ? profileOf(departures) : settings.profile;
  for (const line of departureLines(departures, profile, settings.profile)) machine.out(line);

  const isMeasured = part !== undefined;
  const isExposed = await hasExposition(wire);
  const functions = await countOf(wire, token);
  const wanted = { level, profile, functions, isMeasured, isExposed, others: sessions.other !== undefined };
  const scenarios = looking(wanted, settings.seed, settings.runs);
  const expected = profile === 'upstream' ? rows.map(({ id }) => id) : [];
  const judged: Judged[] = [];
  const traces: Trace[] = [];
  const start = wire.now();
  const names = distinctNames();
  for (const [n, scenario] of scenarios.entries()) {
    if (ending.aborted) break;
    const trace = await runScenario(scenario, wire.transport(expected), {
      ...{ credentials: settings.credentials, sessions, patienceMs: PATIENCE_MS, signal: ending },
    });
    const verdict = judge(laws, trace);
    const again = await againOf('gatekeeper', n + 1, trace, verdict, { ...settings, target }, machine);
    const each: Judged = {
      name: names(`the Gatekeeper: ${scenario.name}`),
      verdict,
      reports: reportsOf(laws, trace, verdict, again),
      trace,
    };
    judged.push(each);
    traces.push(trace);
    const leftMs = ((wire.now() - start) / (n + 1)) * (scenarios.length - n - 1);
    for (const line of scenarioLines(each, trace, n, scenarios.length, leftMs)) machine.out(line);
  }
  for (const line of unobservedLines(judged, { isMeasured, isExposed })) machine.out(line);
  const broken = wrongOf(departures, profile) + judged.reduce((sum, { verdict }) => sum + verdict.violations.length, 0);
  const outcome: Outcome = {
    ...({ api: 'gatekeeper', judged, traces, departures, profile, broken, left: [] } as const),
    early: ending.aborted,
  };
  for (const line of closingLines(outcome, [], contracts, wire)) machine.out(line);
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

// ---- what it is asked before ----------------------------------------------------------------------------------------

/** @returns the token. @throws Problem */
async function logIn(wire: Wire, session: string): Promise<string> {
  const [username = '', ...password] = session.split(':');
  const body = JSON.stringify({ username, password: password.join(':') });
  const headers = { 'Content-Type': 'application/json' };
  let answer: Answer;
  try {
    answer = await wire.send(new Request(`${wire.target}/api/v2/sessions`, { method: 'POST', headers, body }));
  } catch (error) {
    throw new Problem(`--target: ${wire.target} does not answer: ${problemOf(error)}`);
  }
  const token = valueAt(decoded(answer.body), '/token/access_token');
  if (answer.status === 401) throw new Problem(`--gatekeeper-auth: the Gatekeeper does not let ${username} in`);
  if (typeof token !== 'string') {
    throw new Problem(`--target: there is no Gatekeeper: POST /api/v2/sessions was answered with ${answer.status}`);
  }
  return token;
}

/** Nothing where no answer comes: that is judged later. */
async function asked(wire: Wire, path: string, token?: string): Promise<Answer | undefined> {
  const headers = token === undefined ? {} : { Authorization: `bearer ${token}` };
  return wire.send(new Request(`${wire.target}${path}`, { headers })).catch(() => undefined);
}

/** Some part of some function that runs. */
async function anyPart(wire: Wire, token: string): Promise<Part | undefined> {
  const answer = await asked(wire, '/api/v2/records/functions?limit=20', token);
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

async function countOf(wire: Wire, token: string): Promise<number> {
  const answer = await asked(wire, '/api/v2/functions?limit=1&fields=uuid', token);
  const count = Number(headerOf(answer, 'record-count'));
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}

async function hasExposition(wire: Wire): Promise<boolean> {
  const answer = await asked(wire, '/metrics');
  return answer?.status === 200 && (headerOf(answer, 'content-type') ?? '').startsWith('text/plain');
}

const headerOf = (answer: Answer | undefined, wanted: string): string | undefined =>
  answer?.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

const listAt = (value: unknown, pointer: string): readonly unknown[] => {
  const list = valueAt(value, pointer);
  return Array.isArray(list) ? list : [];
};

// ---- what it could not be held against ------------------------------------------------------------------------------

const UNMEASURED = 'no function runs there';

interface Sight {
  readonly isMeasured: boolean;
  readonly isExposed: boolean;
}

/** Why a law has nothing to judge there; the first that fits. */
const BLIND: readonly { readonly laws: RegExp; readonly why: string; when?(sight: Sight): boolean }[] = [
  { laws: /^T7$/, why: 'when a machine has begun and ended to run, only the journal tells' },
  { laws: /^T[89]$/, why: 'there is no exposition beside the API', when: ({ isExposed }) => !isExposed },
  { laws: /^T9$/, why: 'the exposition beside the API is not of OpenNebula’s exporter' },
  { laws: /^[TW]\d$/, why: UNMEASURED, when: ({ isMeasured }) => !isMeasured },
  { laws: /^[TW]\d$/, why: 'what is measured came too seldom, or the clock of who measures is another' },
  { laws: /^P[123]$/, why: 'the lists have changed meanwhile, or there are none' },
];

/** A line for each reason, with the laws of what is looked at that had no chance to fail. */
function unobservedLines(judged: readonly Judged[], sight: Sight): string[] {
  const reasons = new Map<string, string[]>();
  for (const { id } of [...PAGES, ...MONITORING, ...STREAMS, ...SESSION_LAWS]) {
    if (judged.some(({ verdict }) => (verdict.checks.get(id) ?? 0) > 0)) continue;
    const why =
      BLIND.find(({ laws, when }) => laws.test(id) && (when === undefined || when(sight)))?.why ?? 'nothing was asked';
    reasons.set(why, [...(reasons.get(why) ?? []), id]);
  }
  return [...reasons].map(([why, ids]) => `  unobserved: ${why}: ${ids.join(', ')}`);
}
