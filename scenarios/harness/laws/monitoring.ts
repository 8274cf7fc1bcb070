/** The laws of what is measured: its grid, its values, and that everybody who looks sees the same. */
import { STATES } from '../../../sim/index.ts';
import { type Check, type Law, shownBy } from '../law.ts';
import type { Story } from '../story.ts';
import { numberIn } from '../watching/exposition-text.ts';
import { changesAt, hasRun, stretchesOf } from '../watching/guest-life.ts';
import { measuredIn, type Pushed, type RangeAnswer, type Row, vmOf } from '../watching/measured.ts';

/** Prometheus shows a sample for so long. */
const LOOKBACK_MS = 300_000;
/** It scrapes so often what probes push so often. */
const SCRAPE_MS = 15_000;
const PUSH_MS = 3_000;
/** Who has run for so long has been scraped, even what needs two passes of the probe. */
const SEEN_WITHIN_MS = SCRAPE_MS + 3 * PUSH_MS;

/** What the probe inside a machine pushes. */
const isProbed = (metric: string): boolean => metric.startsWith('vm_');

const iso = (ms: number): string => new Date(ms).toISOString();

const named = ({ about, sinceMs, untilMs, stepMs }: RangeAnswer): string =>
  `${about} from ${iso(sinceMs)} to ${iso(untilMs)} each ${stepMs / 1_000} s`;

/** Pairs of ranges of one thing. */
function* pairs(ranges: readonly RangeAnswer[]): Generator<readonly [RangeAnswer, RangeAnswer]> {
  for (const [n, one] of ranges.entries()) {
    for (const other of ranges.slice(n + 1)) if (one.about === other.about) yield [one, other];
  }
}

/**
 * Until when two answers have to say the same: what is not scraped yet, the later one may know better, and of two in one
 * instant what has happened between them.
 */
const settled = (one: RangeAnswer, other: RangeAnswer): number =>
  one.nowMs === other.nowMs && Number.isFinite(one.nowMs)
    ? one.nowMs - 1
    : Math.min(one.nowMs, other.nowMs) - SCRAPE_MS;

/** What a range says of each series at some instants; nothing is said in words of its own. */
function told({ rows }: RangeAnswer, concerns: (atMs: number) => boolean): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (const { key, points } of rows) {
    for (const [at, value] of points) if (concerns(at)) said.set(`${key} at ${iso(at)}`, value);
  }
  return said;
}

/** Where two accounts differ first. */
function difference(wanted: ReadonlyMap<string, string>, seen: ReadonlyMap<string, string>) {
  for (const key of new Set([...wanted.keys(), ...seen.keys()])) {
    if (wanted.get(key) !== seen.get(key)) {
      return { subject: key, expected: wanted.get(key) ?? 'nothing', seen: seen.get(key) ?? 'nothing' };
    }
  }
  return undefined;
}

function same(
  check: Check,
  { exchange }: RangeAnswer,
  wanted: ReadonlyMap<string, string>,
  seen: ReadonlyMap<string, string>,
) {
  // Nothing is like nothing, whoever answers.
  if (wanted.size + seen.size === 0) return;
  const found = difference(wanted, seen);
  check(found === undefined, () => shownBy(exchange, found ?? { subject: '', expected: '', seen: '' }));
}

const isOnGrid = ({ sinceMs, stepMs }: RangeAnswer, at: number): boolean =>
  Math.abs((at - sinceMs) / stepMs - Math.round((at - sinceMs) / stepMs)) < 1e-9;

/** The guest that a range is of, where it is of one. */
function guestOf({ about, rows }: RangeAnswer): { readonly vm: number | undefined } | undefined {
  const [, own] = /\{exported_instance="one-(\d+)"\}$/.exec(about) ?? [];
  if (own !== undefined) return { vm: Number(own) };
  return / of [0-9a-f-]{36}$/.test(about) && rows.length > 0 ? { vm: undefined } : undefined;
}

/** What can be true of a value, whatever machine it is of. */
const BOUNDS: readonly { readonly of: RegExp; readonly least: number; readonly most: number }[] = [
  { of: /_perc$/, least: 0, most: 100 },
  { of: /^vm_|^cnt_|^opennebula_(?!vm_host_id)/, least: 0, most: Number.MAX_VALUE },
];
/** What only grows, from one boot to the next. */
const COUNTERS = /^vm_net_[rt]x_MB$/;

export const MONITORING: readonly Law[] = [
  {
    id: 'T1',
    sentence: 'The instants of a range are since, and so many steps after it, each once, in order, and not past until.',
    reason: 'Charts of different series must stand on one grid, and it is the client’s.',
    judge(story, check) {
      for (const range of measuredIn(story).ranges) {
        const { exchange, sinceMs, untilMs, rows } = range;
        for (const { key, points } of rows) {
          let last = Number.NEGATIVE_INFINITY;
          const stray = points.find(([at]) => {
            const isWrong = !isOnGrid(range, at) || at <= last || at < sinceMs || at > untilMs;
            last = at;
            return isWrong;
          });
          check(stray === undefined, () =>
            shownBy(exchange, { subject: key, expected: named(range), seen: iso(stray?.[0] ?? 0) }),
          );
        }
      }
    },
  },
  {
    id: 'T2',
    sentence:
      'A range has a value at each instant of its grid at which the machine has been seen within five minutes, both ends included.',
    reason: 'A gap means that something was not measured, and nothing else.',
    judge(story, check) {
      const { ranges, frames, troubledFromMs } = measuredIn(story);
      for (const range of ranges) {
        const guest = story.omniscient ? guestOf(range) : { vm: undefined };
        if (guest === undefined || !isProbed(range.metric)) continue;
        const { exchange, nowMs, sinceMs, untilMs, stepMs, rows } = range;
        const shown = new Set(rows.flatMap(({ points }) => points.map(([at]) => at)));
        let missing: number | undefined;
        let count = 0;
        for (let n = 0; n <= Math.floor((untilMs - sinceMs) / stepMs + 1e-9) && missing === undefined; n++) {
          const at = Math.round(sinceMs + n * stepMs);
          const seenBy = Math.min(at, nowMs);
          if (seenBy < at - LOOKBACK_MS + SEEN_WITHIN_MS || at >= troubledFromMs) continue;
          const isSeen = story.omniscient
            ? hasRun(story, guest.vm, seenBy - SEEN_WITHIN_MS, seenBy)
            : isStreamed(frames, range, at - LOOKBACK_MS + SEEN_WITHIN_MS, seenBy - SEEN_WITHIN_MS);
          if (!isSeen) continue;
          count++;
          if (!shown.has(at)) missing = at;
        }
        if (count === 0) continue;
        check(missing === undefined, () =>
          shownBy(exchange, { subject: named(range), expected: `a value at ${iso(missing ?? 0)}`, seen: 'none' }),
        );
      }
    },
  },
  {
    id: 'T3',
    sentence: 'What is asked for in longer steps is part of what is asked for in shorter ones.',
    reason: 'Zooming out must not show another past.',
    judge(story, check) {
      const { ranges, troubledFromMs } = measuredIn(story);
      for (const pair of pairs(ranges)) {
        const [fine, coarse] = [...pair].sort((a, b) => a.stepMs - b.stepMs) as [RangeAnswer, RangeAnswer];
        const times = coarse.stepMs / fine.stepMs;
        if (times < 2 || !Number.isInteger(times) || fine.sinceMs !== coarse.sinceMs) continue;
        const until = Math.min(fine.untilMs, coarse.untilMs, settled(fine, coarse));
        const concerns = (at: number): boolean => at <= until && at < troubledFromMs && isOnGrid(coarse, at);
        same(check, coarse, told(fine, concerns), told(coarse, concerns));
      }
    },
  },
  {
    id: 'T4',
    sentence: 'Two ranges that meet are together what is asked for as one.',
    reason: 'Who reads on from where he stopped must not miss or invent anything.',
    judge(story, check) {
      const { ranges, troubledFromMs } = measuredIn(story);
      for (const pair of pairs(ranges)) {
        const [first, second] = [...pair].sort((a, b) => a.sinceMs - b.sinceMs) as [RangeAnswer, RangeAnswer];
        if (first.untilMs !== second.sinceMs || first.stepMs !== second.stepMs || !isOnGrid(first, second.sinceMs))
          continue;
        for (const whole of ranges) {
          if (whole.about !== first.about || whole.stepMs !== first.stepMs) continue;
          if (whole.sinceMs !== first.sinceMs || whole.untilMs !== second.untilMs) continue;
          const until = Math.min(settled(first, whole), settled(second, whole));
          const concerns = (at: number): boolean => at <= until && at < troubledFromMs;
          same(check, whole, new Map([...told(first, concerns), ...told(second, concerns)]), told(whole, concerns));
        }
      }
    },
  },
  {
    id: 'T5',
    sentence: 'A value is one that its metric can have; what counts falls only when the machine has booted.',
    reason: 'Alarms and bills are made of these numbers.',
    judge(story, check) {
      const { ranges, scrapes, troubledFromMs } = measuredIn(story);
      const bounded = (metric: string, value: number): boolean =>
        BOUNDS.every(({ of, least, most }) => !of.test(metric) || (value >= least && value <= most));
      for (const { exchange, metric, rows } of ranges) {
        for (const row of rows) {
          const points = row.points.filter(([at]) => at < troubledFromMs);
          const wild = points.find(([, value]) => !bounded(metric, numberIn(value)));
          check(wild === undefined, () =>
            shownBy(exchange, {
              subject: row.key,
              expected: 'a value that can be',
              seen: `${wild?.[1]}`,
              edge: 'bounds',
            }),
          );
          // When a machine has booted, only the journal tells.
          if (!COUNTERS.test(metric) || !story.omniscient) continue;
          const fallen = points.find(([at, value], n) => {
            const [before = at, was = value] = points[n - 1] ?? [];
            return numberIn(value) < numberIn(was) && !hasBooted(story, row, before, at);
          });
          check(fallen === undefined, () =>
            shownBy(exchange, {
              subject: row.key,
              expected: 'no less than before, without a boot',
              seen: `${fallen?.[1]} at ${iso(fallen?.[0] ?? 0)}`,
              edge: 'counter',
            }),
          );
        }
      }
      for (const { exchange, nowMs, exposition } of scrapes) {
        if (nowMs >= troubledFromMs) continue;
        const wild = exposition.samples.find(({ name, value }) => !bounded(name, value));
        check(wild === undefined, () =>
          shownBy(exchange, {
            subject: `${wild?.name} ${JSON.stringify(wild?.labels)}`,
            expected: 'a value that can be',
            seen: `${wild?.value}`,
            edge: 'bounds',
          }),
        );
      }
    },
  },
  {
    id: 'T6',
    sentence: 'A range, a stream and the exposition show the same value of one measurement.',
    reason: 'Nobody can act on two truths.',
    judge(story, check) {
      const { ranges, scrapes, frames, troubledFromMs } = measuredIn(story);
      /** By series and time of the measurement. */
      const pushes = new Map<string, Map<number, number>>();
      for (const push of [...scrapes.flatMap(({ pushed }) => pushed), ...frames]) {
        const vm = vmOf(push.labels);
        if (push.timeMs >= troubledFromMs || (vm !== undefined && changesAt(story, vm, push.timeMs))) continue;
        const times = pushes.get(push.key) ?? new Map<number, number>();
        pushes.set(push.key, times);
        const before = times.get(push.timeMs);
        times.set(push.timeMs, before ?? push.value);
        if (before === undefined) continue;
        check(Object.is(before, push.value), () => ({
          at: push.at,
          ...(push.exchange === undefined ? {} : { exchange: push.exchange }),
          subject: `${push.key} of ${iso(push.timeMs)}`,
          expected: `${before}`,
          seen: `${push.value}`,
          edge: 'push',
        }));
      }
      for (const range of ranges) {
        for (const { key, points } of range.rows) {
          const times = pushes.get(key);
          if (times === undefined) continue;
          for (const [at, value] of points) {
            const found = candidates(story, times, at, range.nowMs);
            if (found === undefined || at >= troubledFromMs) continue;
            check(found.includes(numberIn(value)), () =>
              shownBy(range.exchange, {
                subject: `${key} at ${iso(at)}`,
                expected: found.join(' or '),
                seen: value,
                edge: 'range',
              }),
            );
          }
        }
      }
    },
  },
  {
    id: 'T7',
    sentence: 'Nothing is measured of a machine before it runs, or after it has ended.',
    reason: 'What was not there must not have been busy.',
    judge(story, check) {
      const { ranges, scrapes, frames, troubledFromMs } = measuredIn(story);
      const judgeRow = ({ exchange }: RangeAnswer, { key, labels, points }: Row): void => {
        const vm = vmOf(labels);
        const stretches = vm === undefined ? undefined : stretchesOf(story, vm);
        if (vm === undefined || stretches === undefined || points.length === 0) return;
        const wrong = points.find(([at]) => at < troubledFromMs && !ranWithin(stretches, at - LOOKBACK_MS, at));
        check(wrong === undefined || isHidden(story, vm, wrong[0]), () =>
          shownBy(exchange, { subject: key, expected: 'nothing', seen: `${wrong?.[1]} at ${iso(wrong?.[0] ?? 0)}` }),
        );
      };
      for (const range of ranges) if (isProbed(range.metric)) for (const row of range.rows) judgeRow(range, row);
      const judgePush = ({ key, labels, value, timeMs, at, exchange }: Pushed): void => {
        const vm = vmOf(labels);
        const stretches = vm === undefined ? undefined : stretchesOf(story, vm);
        if (vm === undefined || stretches === undefined || timeMs >= troubledFromMs) return;
        const holds = ranWithin(stretches, timeMs, timeMs) || isHidden(story, vm, timeMs);
        check(holds, () => ({
          at,
          ...(exchange === undefined ? {} : { exchange }),
          subject: key,
          expected: 'nothing',
          seen: `${value} of ${iso(timeMs)}`,
          edge: 'push',
        }));
      };
      for (const { pushed } of scrapes) for (const push of pushed) judgePush(push);
      for (const push of frames) judgePush(push);
    },
  },
  {
    id: 'T8',
    sentence:
      'The exposition can be read: each family in one place with one TYPE, each label set once, and nothing else.',
    reason: 'A scraper drops the whole of it for one bad line.',
    judge(story, check) {
      for (const { exchange, exposition } of measuredIn(story).scrapes) {
        const [first] = exposition.flaws;
        check(first === undefined && exposition.samples.length > 0, () =>
          shownBy(exchange, {
            subject: first?.line ?? '/metrics',
            expected: 'a line of the text format',
            seen: first?.problem ?? 'no sample',
            edge: first?.problem.replace(/\S*_\S*/g, '…') ?? 'empty',
          }),
        );
      }
    },
  },
  {
    id: 'T9',
    sentence: 'What VMs have of processors and memory is what their hosts have given.',
    reason: 'Capacity that nobody has, or that two have, is an outage to come.',
    judge(story, check) {
      for (const { exchange, exposition } of measuredIn(story).scrapes) {
        const by = (name: string, label: string): Map<string, number> =>
          new Map(
            exposition.samples
              .filter((each) => each.name === name)
              .map(({ labels, value }) => [labels[label] ?? '', value]),
          );
        const [hosts, states] = [by('opennebula_vm_host_id', 'one_vm_id'), by('opennebula_vm_state', 'one_vm_id')];
        const cpus = by('opennebula_vm_cpu_ratio', 'one_vm_id');
        const memories = by('opennebula_vm_mem_total_bytes', 'one_vm_id');
        const isPassing = [...by('opennebula_vm_lcm_state', 'one_vm_id').values()].some((lcm) => PASSING.has(lcm));
        // Not every server has OpenNebula’s exporter beside it.
        if (isPassing || by('opennebula_host_vms', 'one_host_id').size === 0) continue;
        const sums = { cpu: 0, memory: 0, vms: 0 };
        for (const [vm, state] of states) {
          if (!HOLDING.has(state) || (hosts.get(vm) ?? -1) < 0) continue;
          sums.cpu += Math.round(100 * (cpus.get(vm) ?? 0));
          sums.memory += 1_024 * (memories.get(vm) ?? 0);
          sums.vms++;
        }
        const total = (name: string): number =>
          [...by(name, 'one_host_id').values()].reduce((sum, each) => sum + each, 0);
        const given = {
          cpu: total('opennebula_host_cpu_usage_ratio'),
          memory: total('opennebula_host_mem_usage_bytes'),
          vms: total('opennebula_host_vms'),
        };
        check(JSON.stringify(sums) === JSON.stringify(given), () =>
          shownBy(exchange, { subject: 'all hosts', expected: JSON.stringify(sums), seen: JSON.stringify(given) }),
        );
      }
    },
  },
];

/** STATE of VMs that keep what their host has given: active, suspended and powered off. */
const HOLDING: ReadonlySet<number> = new Set([3, 5, 8]);

/** One that moves has its place on both hosts; one that goes may have given it back before, when it was undeployed. */
const PASSING: ReadonlySet<number> = new Set(
  Object.entries(STATES).flatMap(([state, { lcm }]) =>
    /MIGRATE|^EPILOG$|^EPILOG_FAILURE$|^CLEANUP_DELETE$/.test(state) ? [lcm] : [],
  ),
);

/** Whether a stream has shown what a range is of, measured within a stretch of time: then it was there to be scraped. */
const isStreamed = (frames: readonly Pushed[], { about }: RangeAnswer, fromMs: number, toMs: number): boolean =>
  frames.some(
    ({ metric, labels, timeMs }) => about === `${metric} of ${labels.id}` && timeMs > fromMs && timeMs <= toMs,
  );

type Stretches = NonNullable<ReturnType<typeof stretchesOf>>;

const ranWithin = (stretches: Stretches, fromMs: number, toMs: number): boolean =>
  stretches.some(({ from, to }) => from <= toMs && to >= fromMs);

/** Whether a machine may run unknown to OpenNebula, or still: a fault or an administrator has touched it. */
const isHidden = (story: Story, vm: number, atMs: number): boolean => story.disturbed(vm, 0, atMs - story.run.epochMs);

/** Whether the machine of a series may have booted between two instants. */
function hasBooted(story: Story, { labels }: Row, fromMs: number, toMs: number): boolean {
  const vm = vmOf(labels);
  if (vm === undefined) return !hasRun(story, vm, fromMs - LOOKBACK_MS, toMs);
  // An administrator can have it boot while it runs.
  const { epochMs } = story.run;
  if (story.disturbed(vm, fromMs - LOOKBACK_MS - epochMs, toMs - epochMs)) return true;
  // What has run for a while has been measured since.
  const isOld = ({ from, to }: Stretches[number]): boolean => from + SEEN_WITHIN_MS <= Math.min(fromMs, to);
  return (
    stretchesOf(story, vm)?.some((each) => each.from > fromMs - LOOKBACK_MS && each.from <= toMs && !isOld(each)) ??
    true
  );
}

/**
 * The values that a range may have at an instant: those of the pushes that the last scrape before it may have found.
 * Undefined as long as not all of them are known. In process it is known when scrapes are.
 */
function candidates(
  story: Story,
  pushes: ReadonlyMap<number, number>,
  atMs: number,
  nowMs: number,
): number[] | undefined {
  const isScraped = story.omniscient && atMs % SCRAPE_MS === 0 && atMs <= nowMs;
  const oldest = isScraped ? atMs - PUSH_MS : atMs - PUSH_MS - SCRAPE_MS;
  if (atMs > nowMs) return undefined;
  const found: (readonly [timeMs: number, value: number])[] = [];
  for (const push of pushes) if (push[0] > oldest && push[0] <= atMs) found.push(push);
  if (found.length === 0) return undefined;
  found.sort(([a], [b]) => a - b);
  // What was pushed in this very instant may have been found as well.
  const times = [oldest, ...found.map(([time]) => time), atMs + 1];
  const isWhole = times.every((time, n) => n === 0 || time - (times[n - 1] ?? time) <= PUSH_MS);
  return isWhole ? found.map(([, value]) => value) : undefined;
}
