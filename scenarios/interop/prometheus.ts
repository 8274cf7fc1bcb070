/**
 * `npm run test:interop`: a real Prometheus scrapes the built stand-in, and the two must answer the same queries alike.
 * The stand-in's clock stands still, and is moved by one scrape interval of SONATA's Prometheus at a time; the real one
 * scrapes much faster than that on the host's clock, and so sees exactly what the simulated one has stored.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differences, pointsOf, rangeOf } from './matrix.ts';
import { freePort, isInstalled, judged, Program, pause } from './program.ts';

const NEEDED = ['prometheus', 'promtool'];

const STEP_MS = 15_000;
/** Half an hour; a window of five minutes and as much to look back must fit in before the first comparison. */
const STEPS = 120;
const COMPARED_AFTER = 40;

/** Prometheus takes samples that are an hour old, but no older. */
const PAST_MS = 45 * 60_000;

const EXPRESSIONS = [
  'vm_cpu_perc',
  'vm_mem_perc{exported_job="vnf"}',
  'vm_net_rx_MB{inf!="lo"}',
  '{__name__=~"vm_disk_.*",file_system=~"/dev/.+"}',
  'vm_up offset 2m',
  'rate(vm_net_rx_MB[1m])',
  'rate(vm_net_tx_MB{inf="eth0"}[5m])',
  'increase(vm_net_rx_MB[2m])',
  'irate(vm_net_tx_MB[1m])',
  'delta(vm_mem_free_MB[3m])',
  'avg_over_time(vm_cpu_perc[2m])',
  'max_over_time(vm_net_rx_bps[90s])',
  'count_over_time(vm_up[1m])',
  'sum by (exported_job) (vm_net_rx_bps)',
  'avg without (core) (vm_cpu_perc{core!="cpu"})',
  'topk(2, vm_mem_free_MB)',
  'count(vm_up) or vector(0)',
  '100 - vm_mem_perc > bool 50',
  'vm_mem_free_MB / on (id) vm_mem_total_MB',
  'vm_cpu_perc * on (id) group_left vm_mem_perc',
  'vm_net_rx_pps unless on (id) (vm_cpu_perc{core="cpu"} > 20)',
  'absent(vm_up{exported_job="none"})',
  'time() - vm_up',
];

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

async function compare(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'onesim-interop-'));
  const programs: Program[] = [];
  try {
    const epochMs = STEP_MS * Math.floor((Date.now() - PAST_MS) / STEP_MS);
    const standIn = await startStandIn(epochMs, programs);
    const clean = await checkExposition(standIn.origin);
    const prometheus = await startPrometheus(standIn.origin, folder, programs);
    await live(standIn);
    await pause(1000);
    const start = (epochMs + COMPARED_AFTER * STEP_MS) / 1000;
    const end = (epochMs + STEPS * STEP_MS) / 1000;
    let agreed = 0;
    for (const [i, query] of EXPRESSIONS.entries()) {
      // Now and then at other instants than those of the scrapes.
      const range = { start: start + (i % 3), end, step: [15, 7, 60][i % 3] ?? 15 };
      if (await agree(query, range, standIn.origin, prometheus)) agreed++;
    }
    print(`${agreed} of ${EXPRESSIONS.length} expressions have the same values in Prometheus and in onesim`);
    return clean && agreed === EXPRESSIONS.length;
  } finally {
    for (const program of programs) await program.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface StandIn {
  readonly origin: string;
  readonly program: Program;
  /** How often its exposition has been asked for. */
  readonly scrapes: () => number;
}

async function startStandIn(epochMs: number, programs: Program[]): Promise<StandIn> {
  let origin = '';
  let scrapes = 0;
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const ports = ['--port', '0', '--oned-port', 'off', '--oneflow-port', 'off'];
  const time = ['--clock', 'virtual', '--epoch', new Date(epochMs).toISOString(), '--timing', 'fast'];
  const program = new Program(process.execPath, [main, 'serve', ...ports, ...time, '--log', 'json'], (line) => {
    if (!line.startsWith('{')) return;
    const { event, urls, path } = JSON.parse(line) as { event: string; urls?: { engine: string }; path?: string };
    if (event === 'ready') origin = urls?.engine ?? '';
    if (path === '/metrics') scrapes++;
  });
  programs.push(program);
  await program.until('it was ready', () => origin !== '');
  return { origin, program, scrapes: () => scrapes };
}

/** What promtool has against the names of SONATA's probes and of OpenNebula's exporter. */
const UPSTREAM = [
  /^(vm|cnt)_\w+_MB metric names should not contain abbreviated units$/,
  /^cnt_created counter metrics should have "_total" suffix$/,
  /^opennebula_(datastore|host|vm)_total non-counter metrics should not have "_total" suffix$/,
];

/** What promtool objects to is names that are not ours: upstream calls its metrics so. */
async function checkExposition(origin: string): Promise<boolean> {
  const { status, said } = judged('promtool', ['check', 'metrics'], await (await fetch(`${origin}/metrics`)).text());
  const others = said.filter((line) => !UPSTREAM.some((lint) => lint.test(line)));
  const clean = (status === 0 || status === 3) && others.length === 0;
  print(`promtool check metrics: ${clean ? 'no errors' : 'FAILED'} (exit ${status}, ${said.length} names upstream)`);
  for (const line of clean ? [] : said) print(`  ${line}`);
  return clean;
}

async function startPrometheus(origin: string, folder: string, programs: Program[]): Promise<string> {
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, CONFIG.replace('TARGET', new URL(origin).host));
  const address = `127.0.0.1:${await freePort()}`;
  const program = new Program('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ]);
  programs.push(program);
  const isReady = (): Promise<boolean> =>
    fetch(`http://${address}/-/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await program.until('it was ready', isReady);
  return `http://${address}`;
}

/** As SONATA's Prometheus scrapes its Pushgateway, and faster. */
const CONFIG = `
global: { scrape_interval: 100ms, scrape_timeout: 100ms }
scrape_configs:
  - job_name: sonata
    static_configs: [{ targets: ['TARGET'], labels: { group: development } }]
    relabel_configs: [{ target_label: instance, replacement: 'pushgateway:9091' }]
`;

/** Lets time pass, and things happen; after each step all of it is scraped. */
async function live({ origin, program, scrapes }: StandIn): Promise<void> {
  const call = async (path: string, body: unknown, method = 'POST'): Promise<string> => {
    const headers = { Authorization: `Basic ${btoa('alice:alice')}`, 'Content-Type': 'application/json' };
    const request = body === null ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const answer = await fetch(`${origin}${path}`, request);
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${await answer.text()}`);
    return answer.text();
  };
  const made: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    if (step === 5 || step === 60) {
      const { SERVERLESS_RUNTIME } = JSON.parse(await call('/serverless-runtimes', RUNTIME));
      made.push(SERVERLESS_RUNTIME.ID);
    }
    if (step === 80) await call(`/serverless-runtimes/${made[0]}`, null, 'DELETE');
    await call('/_onesim/clock', { action: 'advance', ms: STEP_MS });
    // The first may have begun before.
    const seen = scrapes();
    await program.until('it was scraped', () => scrapes() >= seen + 2);
  }
}

const RUNTIME = { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' }, SCHEDULING: {}, DEVICE_INFO: {} } };

async function agree(
  query: string,
  range: Parameters<typeof rangeOf>[2],
  ours: string,
  theirs: string,
): Promise<boolean> {
  const [own, real] = await Promise.all([rangeOf(ours, query, range), rangeOf(theirs, query, range)]);
  const found = differences(own, real);
  const points = pointsOf(real);
  if (points === 0) found.push('nothing to compare');
  const shown = `${points} points in ${real.length} series`;
  print(found.length === 0 ? `ok      ${query}: ${shown}` : `FAILED  ${query}`);
  for (const line of found) print(`        ${line}`);
  return found.length === 0;
}

const missing = NEEDED.filter((name) => !isInstalled(name));
if (missing.length > 0) {
  print(`interop with Prometheus skipped: needs ${missing.join(' and ')} (apt-get install prometheus)`);
} else {
  process.exitCode = (await compare()) ? 0 : 1;
}
