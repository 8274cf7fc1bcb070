/**
 * The benchmarks on the command line: `npm run bench [name…]`. Each runs in a process of its own, one after the other,
 * so that none warms up, fills or slows the heap of another. Exits 1 when a figure is missed, 2 on an unknown name.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Benchmark, meetsBar, type Result, ratio } from './benchmark.ts';
import { cycles } from './cycles.ts';
import { day } from './day.ts';
import { exposition } from './exposition.ts';
import { fanout, subscribers } from './fanout.ts';
import { faultLayer } from './fault-layer.ts';
import { functions } from './functions.ts';
import { harness } from './harness.ts';
import { http } from './http.ts';
import { memory } from './memory.ts';
import { queue } from './queue.ts';
import { range } from './range.ts';
import { startup } from './startup.ts';
import { state } from './state.ts';
import { vmInfo } from './vm-info.ts';
import { vmPool } from './vm-pool.ts';
import { xmlrpc } from './xmlrpc.ts';

const BENCHMARKS: readonly Benchmark[] = [
  cycles,
  memory,
  http,
  functions,
  startup,
  queue,
  state,
  day,
  faultLayer,
  range,
  exposition,
  fanout,
  subscribers,
  vmInfo,
  vmPool,
  xmlrpc,
  harness,
];

/** Set, to its name, in the process of a benchmark. */
const ALONE = 'ONESIM_BENCHMARK';
const LONGEST_MS = 15 * 60_000;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const alone = process.env[ALONE];
if (alone === undefined) process.exitCode = await runAll(process.argv.slice(2));
else await runAlone(alone);

async function runAlone(name: string): Promise<void> {
  const results = await BENCHMARKS.find((benchmark) => benchmark.name === name)?.run();
  process.send?.(results, () => process.exit());
}

async function runAll(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no benchmark ${unknown.join(', ')}; there are:\n`);
    for (const { name, what } of BENCHMARKS) process.stderr.write(`  ${name.padEnd(12)} ${what}\n`);
    return 2;
  }
  printMachine();
  let missed = 0;
  for (const benchmark of BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    print(`\n${benchmark.name}: ${benchmark.what}\n  required: ${benchmark.bar}`);
    try {
      const results = await inProcessOfItsOwn(benchmark);
      printTable(results);
      missed += results.filter((result) => !meetsBar(result)).length;
    } catch (error) {
      print(`  FAILED: ${(error as Error).message}`);
      missed++;
    }
  }
  print(missed === 0 ? '\nall figures reached' : `\n${missed} missed`);
  return missed === 0 ? 0 : 1;
}

function inProcessOfItsOwn({ name }: Benchmark): Promise<readonly Result[]> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
      execArgv: [...process.execArgv, '--expose-gc'],
      env: { ...process.env, [ALONE]: name },
      serialization: 'advanced',
      timeout: LONGEST_MS,
    });
    child.on('message', (results: readonly Result[]) => resolve(results));
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`ended with ${signal ?? code} before it had a result`)));
  });
}

function printMachine(): void {
  const load = loadavg()[0] ?? 0;
  print(`cpu     ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, load ${load.toFixed(2)}`);
  print(`memory  ${(totalmem() / 2 ** 30).toFixed(1)} GiB`);
  print(`node    ${process.version} on ${process.platform} ${process.arch}`);
}

function printTable(results: readonly Result[]): void {
  const rows = results.map((result) => [
    result.figure,
    `${number(result.measured)} ${result.unit}`,
    barText(result),
    ratio(result)?.toFixed(2) ?? '',
    result.bar === null ? '' : meetsBar(result) ? 'ok' : 'MISSED',
  ]);
  const table = [['figure', 'measured', 'bar', 'of bar', ''], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    const cells = row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)));
    print(`  ${cells.join('  ').trimEnd()}`);
  }
}

function barText({ bar, unit }: Result): string {
  if (bar === null) return '';
  return 'atLeast' in bar ? `≥ ${number(bar.atLeast)} ${unit}` : `≤ ${number(bar.atMost)} ${unit}`;
}

/** Three digits that mean something, and no more. */
function number(value: number): string {
  return value.toLocaleString('en', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
