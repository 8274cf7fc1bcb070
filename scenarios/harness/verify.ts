/**
 * `onesim verify`: generated scenarios against the stand-in in this process, or, with `--target`, the reading operations
 * of a real server, which change nothing there.
 */
import { writeFile } from 'node:fs/promises';
import { type Machine, Problem, reason, suggestion } from '../../sim/index.ts';
import { SMALL } from './generator.ts';
import type { Law } from './law.ts';
import { loadLaws } from './laws.ts';
import { search } from './property.ts';
import { failureReport } from './report.ts';
import { judgeTarget } from './run-files.ts';
import type { Scenario, Step } from './scenario.ts';
import { TWINS } from './twins.ts';

type Client = Pick<Machine, 'out'>;

interface Settings {
  readonly seed: number;
  readonly runs: number;
  readonly profile: NonNullable<Scenario['profile']>;
  readonly target: string | undefined;
  readonly session: string | undefined;
}

/** Scenarios between two lines of progress. */
const SHARE = 50;
/** Every so many scenarios is also run again, in three ways. */
const TWINS_EVERY = 10;

/** Ends with 0 when every law held, 1 when one was broken, 4 when there was nothing to judge. @throws Problem */
export async function verify(args: readonly string[], machine: Client): Promise<0 | 1 | 4> {
  const settings = settingsOf(args);
  const laws = await loadLaws();
  return settings.target === undefined
    ? verifyStandIn(laws, settings, machine)
    : judgeTarget(laws, reading(settings), machine, settings.target, settings.session);
}

async function verifyStandIn(
  laws: readonly Law[],
  { seed, runs, profile }: Settings,
  machine: Client,
): Promise<0 | 1 | 4> {
  const checks = new Map<string, number>();
  let [done, requests] = [0, 0];
  machine.out(`The stand-in, profile ${profile}, ${runs} scenarios from seed ${seed}`);
  while (done < runs) {
    const share = Math.min(SHARE, runs - done);
    const options = { seed: seed + done, runs: share, budget: SMALL, profile, twinsEvery: TWINS_EVERY };
    const { scenarios, requests: sent, checks: held, found } = await search(laws, options);
    done += scenarios;
    requests += sent;
    for (const [law, count] of held) checks.set(law, (checks.get(law) ?? 0) + count);
    if (found !== undefined) {
      const file = `onesim-${found.violation.law}-${seed + done - scenarios}.json`;
      await save(file, found.content);
      for (const line of failureReport([...laws, ...TWINS], found.trace, found.violation, file)) machine.out(line);
      machine.out(`✗ broken after ${done} scenarios and ${requests} requests`);
      return 1;
    }
    machine.out(`  ${done} of ${runs} scenarios, ${requests} requests, nothing broken`);
  }
  const idle = laws.filter(({ id }) => !checks.get(id)).map(({ id }) => id);
  const count = [...checks.values()].reduce((sum, each) => sum + each, 0);
  if (count === 0) return 4;
  machine.out(`✓ ${laws.length - idle.length + TWINS.length} laws held in ${count} checks`);
  if (idle.length > 0) machine.out(`  never judged: ${idle.join(', ')}`);
  return 0;
}

async function save(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new Problem(`cannot write ${file}: ${reason(error)}`);
  }
}

/** One request a second. */
const PACE_MS = 1_000;

/** What can be asked of a server without changing anything. */
const READS: readonly Step[] = [
  { id: 'version', op: 'version', expect: { status: 200 } },
  { id: 'config', op: 'config', expect: { status: 200 } },
  { id: 'schema', op: 'schema', expect: { status: 200 } },
  { id: 'public', op: 'version', auth: 'none', expect: { status: 200 } },
  { id: 'missing', op: 'get', ref: 'none', expect: { status: 404 } },
  { id: 'nobody', op: 'get', ref: 'none', auth: 'none', expect: { status: 401 } },
  { id: 'stranger', op: 'get', ref: 'none', auth: 'wrong', expect: { status: 401 } },
  { id: 'scheme', op: 'get', ref: 'none', auth: 'scheme', expect: { status: 401 } },
  { id: 'no-update', op: 'put', ref: 'none', args: {}, expect: { status: 404 } },
  { id: 'no-json', op: 'put', ref: 'none', sendText: '{', expect: { status: 400 } },
  { id: 'no-deletion', op: 'delete', ref: 'none', expect: { status: 404 } },
  { id: 'no-path', op: 'request', method: 'GET', path: '/no-such-path', expect: { status: 404 } },
];

function reading({ profile, target }: Settings): Scenario {
  const steps = READS.map((step, n): Step => {
    const before = READS[n - 1];
    return before === undefined ? step : { ...step, after: { event: `${before.id}.answered`, delayMs: PACE_MS } };
  });
  return { v: 1, name: `reading ${target}`, profile, steps };
}

// ---- the command line ---------------------------------------------------------------------------------------------

const FLAGS = ['--runs', '--seed', '--profile', '--target', '--auth'] as const;

/** @throws Problem */
function settingsOf(args: readonly string[]): Settings {
  const given = new Map<string, string>();
  for (let n = 0; n < args.length; n++) {
    const [word = '', ...rest] = (args[n] ?? '').split('=');
    if (!(FLAGS as readonly string[]).includes(word)) {
      throw new Problem(`unknown flag ${JSON.stringify(word)}${suggestion(word, FLAGS)}`);
    }
    const value = rest.length > 0 ? rest.join('=') : args[++n];
    if (value === undefined || value === '') throw new Problem(`${word} needs a value`);
    given.set(word, value);
  }
  const number = (flag: string, otherwise: number, most: number): number => {
    const value = given.get(flag);
    if (value === undefined) return otherwise;
    if (/^\d{1,10}$/.test(value) && Number(value) <= most && Number(value) >= 1) return Number(value);
    throw new Problem(`${flag}: expected a whole number from 1 to ${most}, not ${JSON.stringify(value)}`);
  };
  const profile = given.get('--profile') ?? 'upstream';
  if (profile !== 'upstream' && profile !== 'contract') {
    throw new Problem(`--profile: ${JSON.stringify(profile)} is not upstream, contract`);
  }
  return {
    seed: number('--seed', 1, 2_000_000_000),
    runs: number('--runs', 200, 1_000_000),
    profile,
    target: given.get('--target'),
    session: given.get('--auth'),
  };
}
