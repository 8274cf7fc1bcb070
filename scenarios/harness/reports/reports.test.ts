/** Reports of every kind tell the same verdict, each in the words of its format. */
import { describe, expect, test } from 'vitest';
import { loadContracts } from '../../../contracts/contract.ts';
import { Coverage } from '../coverage.ts';
import { judge, loadLaws } from '../laws.ts';
import { reportsOf } from '../run-files.ts';
import { runScenario } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { storyOf } from '../story.ts';
import type { Trace } from '../trace.ts';
import { inProcess } from '../transport.ts';
import { annotations } from './annotations.ts';
import { ctrf } from './ctrf.ts';
import { ndjson, readNdjson } from './ndjson.ts';
import { page } from './page.ts';
import type { Reported } from './reported.ts';
import { sarif } from './sarif.ts';

const FAILING: Scenario = {
  v: 1,
  name: 'a <script> & more',
  steps: [
    { id: 's1', op: 'create', bind: 'r1', expect: { status: 201 } },
    { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' }, expect: { status: 418 } },
  ],
  faults: [{ id: 'f1', kind: 'driver', do: 'delay', action: 'deploy', ms: 500, times: 1 }],
};

const LANES: Scenario = {
  v: 1,
  steps: [
    { id: 's1', op: 'create', bind: 'r1' },
    { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' } },
    { id: 's3', op: 'get', ref: 'r1', lane: 1 },
    { id: 's4', op: 'get', ref: 'r1', lane: 2, expect: { status: 418 } },
  ],
};
const NOTHING = { checks: new Map<string, number>(), violations: [] };

async function reportedOf(scenario: Scenario): Promise<Reported> {
  const [laws, contracts] = [await loadLaws(), await loadContracts()];
  const trace = await runScenario(scenario, await inProcess(scenario));
  const story = storyOf(trace);
  const verdict = judge(laws, trace, story);
  const coverage = new Coverage(contracts);
  coverage.add(story);
  const name = scenario.name ?? '';
  const judged = [{ name, verdict, reports: reportsOf(laws, trace, verdict, []), trace }];
  return { laws, judged, traces: [trace], contracts, coverage };
}

const reported = await reportedOf(FAILING);
const { steps, ...rest } = FAILING;
const held = await reportedOf({
  ...rest,
  steps: steps.map((step) => ({ ...step, expect: {} }) as (typeof steps)[number]),
});

describe('the page', () => {
  test('tells what broke, with its timeline, and names nothing outside of itself', () => {
    const html = page(reported);
    expect(html).toContain('<h1>Broken</h1>');
    expect(html).toContain('GET /serverless-runtimes/');
    expect(html).toContain('<svg class="timeline"');
    expect(html).toMatch(/class="ask culprit"/);
    expect(html).toContain('shown as RUNNING');
    expect(html).not.toMatch(/<script|src=|href=|url\(/);
    expect(html).toContain('a &lt;script&gt; &amp; more');
  });

  test('has each answer that was seen, and says which were not', () => {
    const html = page(reported);
    expect(html).toMatch(/<th scope="row">readRuntime<\/th>.*?<td class="departure strong"[^>]*>1<\/td>/);
    expect(html).toContain('readRuntime 404: documented, never seen');
  });

  test('tells what was never seen by the reason that there is for it', () => {
    const html = page(held);
    expect(html).toMatch(/<summary>.*?\d+ of \d+ states, \d+ out of reach for a reason, \d+ never seen<\/summary>/);
    expect(html).toMatch(/<li><p>Each is asked of OpenNebula itself; [^<]*:<\/p><code>CLONING<\/code> <code>/);
    expect(html).toMatch(/<li class="open"><p>Each could have been seen, and was not:<\/p><code>/);
  });

  test('has known departures apart from the laws, and does not count them as such', () => {
    const departure = { id: 'get-200', sentence: 'It is answered with 200.' };
    const departures = { name: 'engine: known departures', by: [departure], verdict: NOTHING, reports: new Map() };
    const html = page({ ...held, judged: [departures, ...held.judged] });
    expect(html).toMatch(/<h2>engine: known departures<\/h2><ul class="laws named"><li[^>]*><b>get-200<\/b>/);
    const figures = (text: string): string | undefined => /<dt>laws held<\/dt>.*?<\/dl>/.exec(text)?.[0];
    expect(figures(html)).toBe(figures(page(held)));
  });

  test('draws lanes apart, and what was seen of a VM where no journal tells of it', async () => {
    const { judged, traces, ...others } = await reportedOf(LANES);
    const outside = (trace: Trace): Trace => ({
      run: { ...trace.run, transport: 'http' },
      lines: trace.lines.filter(({ kind }) => kind === 'exchange'),
    });
    const seen = traces.map(outside);
    const judgedSo = judged.flatMap((each) => seen.map((trace) => ({ ...each, trace })));
    const html = page({ ...others, traces: seen, judged: judgedSo });
    expect(html).toContain('>owner, lane 1</text>');
    expect(html).toContain('>owner, lane 2</text>');
    expect(html).toContain('<title>RUNNING, shown as RUNNING, from ');
  });

  test('has each step of the life cycle by what led to it', () => {
    expect(page(reported)).toContain('BOOT → RUNNING, vm delay: 1');
    expect(page(held)).toContain('<h1>Everything held</h1>');
  });
});

test('CTRF counts laws, and tells of the broken one why', () => {
  const { results } = JSON.parse(ctrf(reported));
  expect(results.summary.failed).toBe(1);
  expect(results.summary.tests).toBe(results.summary.passed + results.summary.failed + results.summary.skipped);
  const [failed] = results.tests.filter(({ status }: { status: string }) => status === 'failed');
  expect(failed).toMatchObject({ suite: FAILING.name, tags: ['E1'], trace: expect.stringContaining('status 418') });
  expect(JSON.parse(ctrf(held)).results.summary.failed).toBe(0);
});

test('SARIF places it at the line of the contract that documents the answer', async () => {
  const [run] = JSON.parse(sarif(reported)).runs;
  const [{ ruleId, locations }] = run.results;
  expect(ruleId).toBe('E1');
  expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toContain('E1');
  const { artifactLocation, region } = locations[0].physicalLocation;
  expect(artifactLocation.uri).toBe('contracts/engine.yaml');
  const engine = reported.contracts.find(({ file }) => file === 'engine.yaml');
  const at = engine?.operations.find(({ id }) => id === 'readRuntime')?.at ?? [];
  expect(region.startLine).toBe(engine?.lineOf([...at, 'responses', '200']));
  expect(JSON.parse(sarif(held)).runs[0].results).toEqual([]);
});

test('NDJSON is read back as it was, with the trace of each failure', () => {
  const again = readNdjson(ndjson(reported), 'x.ndjson');
  const { verdict, trace } = again.judged[0] ?? {};
  expect(verdict?.checks).toEqual(reported.judged[0]?.verdict.checks);
  expect(again.rest?.traces).toHaveLength(1);
  expect(trace).toBe(again.rest?.traces[0]);
  expect(trace?.lines).toContain(verdict?.violations[0]?.exchange);
  const coverage = new Coverage(reported.contracts);
  if (again.rest !== undefined) coverage.absorb(again.rest.sightings);
  expect(coverage.sightings).toEqual(reported.coverage.sightings);
  const { laws, judged } = again;
  const whole = { laws, judged, traces: again.rest?.traces ?? [], contracts: reported.contracts, coverage };
  expect(page(whole)).toBe(page(reported));
  expect(sarif(whole)).toBe(sarif(reported));
});

test('an annotation is one line, whatever is in it', () => {
  const text = annotations(reported);
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(text).toMatch(/^::error file=contracts\/engine\.yaml,line=\d+,title=E1 step s2::Every step .*418/);
  expect(annotations(held)).toBe('');
});
