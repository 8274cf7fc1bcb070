/** For tests: VMs with a recorded life, histories that chance makes, and a reader of the exposition. */
import fc from 'fast-check';
import { Random } from '../kernel/random.ts';
import type { Shape, Span } from '../one/vm/span.ts';
import type { Filter } from './frame.ts';
import type { ProbedVm } from './guest.ts';
import { METRIC_DEVIATIONS, type MetricDeviation, Metrics } from './metrics.ts';
import type { MatrixSeries, Range } from './query.ts';

export const BOOT = Date.parse('2017-08-28T15:23:31Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const VC_ID = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
export const OTHER_VC_ID = '3f3c7a62-7b43-4f0c-9d0e-6a4a1e2f5b11';

export interface TestVm extends ProbedVm {
  readonly attributes: Map<string, string>;
  readonly spans: Span[];
}

export function vmWith(attributes: Record<string, string>, spans: Span[] = [], id = 0): TestVm {
  const map = new Map(Object.entries(attributes));
  return {
    id,
    uuid: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
    spans,
    attributes: map,
    userTemplate: map,
  };
}

const SHAPE: Shape = {
  vcpu: 1,
  memoryMiB: 2048,
  disks: [
    { id: 0, target: 'vda', sizeMiB: 40_960 },
    { id: 1, target: 'vdb', sizeMiB: 1024 },
  ],
  nics: [0, 1],
  profile: '',
};

export function span(from: number, to: number | null, more: Partial<Shape> & { boot?: number } = {}): Span {
  const { boot = 1, ...shape } = more;
  return { from, to, boot, hostId: 0, shape: { ...SHAPE, ...shape } };
}

export const vnf = (spans: Span[], more: Record<string, string> = {}, id = 0): TestVm =>
  vmWith({ VC_ID, VNF_NAME: 'vtc-vnf', ...more }, spans, id);

/** The metrics of some VMs, and a way to change one. */
export function monitor(
  vms: TestVm[],
  seed = 1,
  deviations: ReadonlySet<MetricDeviation> = new Set(METRIC_DEVIATIONS),
) {
  const observers: ((vm: ProbedVm) => void)[] = [];
  const metrics = new Metrics(
    new Random(seed),
    {
      vms: {
        get nextId() {
          return vms.length;
        },
        find: (id) => vms[id],
      },
      observe: ({ vmUpdate }) => observers.push(vmUpdate),
    },
    deviations,
  );
  const update = (vm: TestVm, attributes: Record<string, string>): void => {
    for (const [name, value] of Object.entries(attributes)) vm.attributes.set(name, value);
    for (const vmUpdate of observers) vmUpdate(vm);
  };
  return { metrics, update };
}

export const everyRow = (metrics: Metrics, range: Range, now: number): MatrixSeries[] =>
  metrics.names().flatMap((name) => metrics.range(name, { id: VC_ID }, range, now));

/** A VM's life: it runs and pauses for a while, in turns; a resume does not boot, and a resize only reshapes. */
const aHistory = fc
  .array(
    fc.record({
      pauseMs: fc.oneof(fc.constant(0), fc.nat(20_000), fc.nat(15 * MINUTE)),
      runMs: fc.oneof(fc.nat(4000), fc.nat(20 * MINUTE)),
      boots: fc.boolean(),
      vcpu: fc.integer({ min: 1, max: 3 }),
      memoryMiB: fc.integer({ min: 1, max: 8192 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((turns) => fc.record({ turns: fc.constant(turns), runsOn: fc.boolean() }))
  .map(({ turns, runsOn }) => {
    const spans: Span[] = [];
    let now = BOOT;
    let boot = 1;
    for (const { pauseMs, runMs, boots, vcpu, memoryMiB } of turns) {
      if (boots) boot++;
      spans.push(span(now + pauseMs, now + pauseMs + runMs, { boot, vcpu, memoryMiB }));
      now += pauseMs + runMs;
    }
    const last = spans.at(-1);
    if (runsOn && last !== undefined) last.to = null;
    return { spans, end: now };
  });

const aProfile = fc.constantFrom('idle', 'steady', 'diurnal', 'bursty', 'leaking', 'saturating', 'noisy');

export const aWorld = fc
  .record({ history: aHistory, profile: aProfile, seed: fc.nat() })
  .map(({ history, profile, seed }) => {
    const spans = history.spans.map((one) => ({ ...one, shape: { ...one.shape, profile } }));
    const vm = vnf(spans);
    return { ...history, spans, vm, seed, ...monitor([vm], seed) };
  });

export const aRange = fc
  .record({
    start: fc.integer({ min: -10 * MINUTE, max: HOUR }),
    length: fc.nat(HOUR),
    step: fc.oneof(fc.integer({ min: 500, max: 20_000 }), fc.integer({ min: 1000, max: 10 * MINUTE })),
  })
  .map(({ start, length, step }) => ({ since: BOOT + start, until: BOOT + start + length, step }));

/** One series of a data frame. */
interface FrameRecord {
  readonly labels: readonly string[];
  readonly value: number;
  /** Time of the push, in milliseconds. */
  readonly time: number;
}

/** The records of a data frame; null for none. Reads what Python writes: what is no number, too. */
export function framed(metrics: Metrics, name: string, filters: readonly Filter[], at: number): FrameRecord[] | null {
  const text = metrics.watch(name, filters)?.frame(at) ?? null;
  if (text === null) return null;
  const quoted = text.replace(/"value":(NaN|-?Infinity),/g, '"value":"$1",');
  const frame: Record<string, (FrameRecord & { readonly value: unknown })[]> = JSON.parse(quoted);
  return (frame[name] ?? []).map((record) => ({ ...record, value: Number(record.value) }));
}

interface Exposed {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly time: number;
}

/** Reads the exposition format; throws for what is not part of it, and for a family that is announced twice or not at all. */
function parseExposition(text: string): Exposed[] {
  const samples: Exposed[] = [];
  const helped = new Set<string>();
  const typed = new Set<string>();
  let family = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const [, comment, about] = /^# (HELP|TYPE) (\S+) [^\n]+$/.exec(line) ?? [];
    if (about !== undefined) {
      const seen = comment === 'HELP' ? helped : typed;
      if (seen.has(about)) throw new Error(`a second ${comment} for ${about}`);
      seen.add(about);
      family = about;
      continue;
    }
    const [, name = '', pairs = '', value, time] = /^(\w+)\{(.*)\} (\S+) (\d+)$/.exec(line) ?? [];
    if (name !== family || !helped.has(name) || !typed.has(name)) throw new Error(`not expected here: ${line}`);
    const labels: Record<string, string> = {};
    const rest = pairs.replace(/(\w+)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/g, (_, label: string, escaped: string) => {
      labels[label] = escaped.replace(/\\(.)/g, (__, sign: string) => (sign === 'n' ? '\n' : sign));
      return '';
    });
    if (rest !== '') throw new Error(`labels do not parse: ${line}`);
    samples.push({ name, labels, value: Number(value), time: Number(time) });
  }
  return samples;
}

export const exposed = (metrics: Metrics, at: number): Exposed[] =>
  parseExposition([...metrics.exposition(at)].join(''));
