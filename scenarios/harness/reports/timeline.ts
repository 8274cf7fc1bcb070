/**
 * The timeline of a failure, drawn: who asked what, which state each VM was in, what went wrong, and where it broke. Long
 * stretches in which nothing happens are drawn short.
 */
import { type FunctionState, mappedState } from '../../../sim/index.ts';
import { laneOf } from '../concurrency/lanes.ts';
import type { Violation } from '../law.ts';
import { type Runtime, type Story, storyOf } from '../story.ts';
import type { ExchangeLine, Trace } from '../trace.ts';
import { escaped } from './markup.ts';

const [WIDTH, LEFT, RIGHT, ROW] = [1180, 130, 20, 26];
/** As wide as a time is written. */
const TICK = 60;

/** Shown after what shows the failure, so that one sees what came of it. */
const AFTER_MS = 5_000;
/** So many exchanges are drawn at most, the last before the failure. */
const MOST = 60;

interface Lane {
  readonly name: string;
  readonly marks: readonly string[];
}

export function timeline(trace: Trace, violation: Violation): string {
  const story = storyOf(trace);
  const until = violation.at + AFTER_MS;
  const exchanges = story.exchanges.filter(({ step, at }) => step !== null && at <= until).slice(-MOST);
  const from = Math.min(exchanges[0]?.sent ?? 0, violation.at);
  const inside = (at: number): boolean => at >= from && at <= until;
  const vms = [...new Set([...story.runtimes.values()].flatMap(({ first }) => vmsIn(first.functions)))].slice(0, 8);
  const instants = [
    ...exchanges.flatMap(({ sent, at }) => [sent, at]),
    ...vms.flatMap((vm) => story.changesOf(vm).map(({ at }) => at)),
    ...story.faults.map(({ at }) => at),
    violation.at,
  ].filter(inside);
  const scale = scaleOf(instants);
  const lanes: Lane[] = [
    ...clientLanes(story, exchanges, scale, violation),
    ...vms.map((vm) => vmLane(story, vm, scale, from, until)),
  ];
  const troubles = story.faults.filter(({ at }) => inside(at));
  if (troubles.length > 0) lanes.push(faultLane(story, scale, inside));
  return drawn(lanes, scale, violation);
}

const vmsIn = (functions: Runtime['first']['functions']): number[] =>
  Array.from(functions.values(), ({ VM_ID }) => VM_ID);

interface Scale {
  readonly instants: readonly number[];
  x(at: number): number;
}

/** Each distance between two neighbours is drawn as its logarithm. */
function scaleOf(given: readonly number[]): Scale {
  const instants = [...new Set(given)].sort((a, b) => a - b);
  const places = new Map<number, number>();
  let sum = 0;
  for (const [n, at] of instants.entries()) {
    if (n > 0) sum += 0.6 + Math.log10(1 + (at - (instants[n - 1] ?? at)) / 10);
    places.set(at, sum);
  }
  const width = WIDTH - LEFT - RIGHT;
  return {
    instants,
    x(at) {
      const known = places.get(at);
      const nearest = known ?? places.get(instants.findLast((each) => each <= at) ?? instants[0] ?? 0) ?? 0;
      return LEFT + (sum === 0 ? 0 : (nearest / sum) * width);
    },
  };
}

function clientLanes(story: Story, exchanges: readonly ExchangeLine[], scale: Scale, violation: Violation): Lane[] {
  const nameOf = ({ step, as }: ExchangeLine): string => {
    const found = step === null ? undefined : story.steps.get(step);
    const lane = found && laneOf(found);
    if (lane !== undefined) return `${as}, lane ${lane}`;
    return `${as}, client ${found !== undefined && 'client' in found ? (found.client ?? 0) : 0}`;
  };
  const names = [...new Set(exchanges.map(nameOf))];
  return names.map((name) => ({
    name,
    marks: exchanges
      .filter((each) => nameOf(each) === name)
      .map((each) => {
        const { sent, at, request, response, problem, step } = each;
        const [x, end] = [scale.x(sent), scale.x(at)];
        const status = response?.status ?? 0;
        const kind =
          each === violation.exchange
            ? 'culprit'
            : status === 0
              ? 'lost'
              : status < 300
                ? 'fine'
                : status < 500
                  ? 'refused'
                  : 'failed';
        const title = `${step}: ${request.method} ${request.path} → ${response?.status ?? problem}, ${seconds(sent)} to ${seconds(at)}`;
        return `<g class="ask ${kind}"><title>${escaped(title)}</title><rect x="${n(x)}" y="5" width="${n(Math.max(7, end - x))}" height="16" rx="3"/></g>`;
      }),
  }));
}

/** What a VM was, until the next of them begins. */
interface Period {
  readonly at: number;
  /** None where it is gone. */
  readonly name: string | undefined;
  readonly state: FunctionState;
}

/** As the journal has it, else as it was shown to those who looked. */
function periodsOf(story: Story, vm: number): readonly Period[] {
  if (story.omniscient) {
    return story.changesOf(vm).map(({ at, to }) => {
      return { at, name: to === 'DONE' ? undefined : to, state: mappedState(to) };
    });
  }
  const runtimes = [...story.runtimes.values()].filter(({ first }) => vmsIn(first.functions).includes(vm));
  return runtimes.flatMap(({ sights, exchanges }) => {
    const seen = sights.flatMap(({ exchange: { at }, shown }): Period[] => {
      const found = [...shown.functions.values()].find(({ VM_ID }) => VM_ID === vm);
      return found === undefined ? [] : [{ at, name: found.STATE, state: found.STATE }];
    });
    const deleted = exchanges.find(({ request, response }) => request.method === 'DELETE' && response.status === 204);
    const end: Period[] = deleted === undefined ? [] : [{ at: deleted.at, name: undefined, state: 'PENDING' }];
    return [...seen, ...end].sort((a, b) => a.at - b.at);
  });
}

function vmLane(story: Story, vm: number, scale: Scale, from: number, until: number): Lane {
  const periods = periodsOf(story, vm).filter(({ at }) => at <= until);
  const marks = periods.flatMap(({ at, name, state }, index) => {
    const end = periods[index + 1]?.at ?? scale.instants.at(-1) ?? at;
    if (end < from || name === undefined) return [];
    const [x, right] = [scale.x(Math.max(at, from)), scale.x(end)];
    const width = Math.max(2, right - x);
    const told = width > name.length * 6.5 && periods[index - 1]?.name !== name;
    const label = told ? `<text x="${n(x + 4)}" y="17">${name}</text>` : '';
    return [
      `<g class="state ${state.toLowerCase()}"><title>${name}, shown as ${state}, from ${seconds(at)}</title><rect x="${n(x)}" y="3" width="${n(width)}" height="20"/>${label}</g>`,
    ];
  });
  return { name: `vm/${vm}`, marks };
}

function faultLane(story: Story, scale: Scale, inside: (at: number) => boolean): Lane {
  const marks = story.faults.flatMap(({ fault, phase, at }) => {
    if (phase !== 'began' || !inside(at)) return [];
    const ended = story.faults.find((each) => each.fault === fault && each.phase === 'ended' && inside(each.at));
    const x = scale.x(at);
    const width = ended === undefined ? 7 : Math.max(7, scale.x(ended.at) - x);
    const what = story.run.scenario.faults?.find(({ id }) => id === fault);
    return [
      `<g class="fault"><title>${escaped(`${fault} from ${seconds(at)}: ${JSON.stringify(what)}`)}</title><rect x="${n(x)}" y="7" width="${n(width)}" height="12" rx="6"/></g>`,
    ];
  });
  return { name: 'faults', marks };
}

function drawn(lanes: readonly Lane[], scale: Scale, violation: Violation): string {
  const height = lanes.length * ROW + 34;
  const rows = lanes.map(
    ({ name, marks }, index) =>
      `<g transform="translate(0 ${index * ROW + 6})"><text class="lane" x="8" y="17">${escaped(name)}</text><line class="rail" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="13" y2="13"/>${marks.join('')}</g>`,
  );
  let last = Number.NEGATIVE_INFINITY;
  const ticks = scale.instants.flatMap((at) => {
    const x = scale.x(at);
    const isLast = x > WIDTH - RIGHT - TICK;
    const left = isLast ? x - TICK : x;
    if (left - last < TICK + 10) return [];
    last = left;
    const anchor = isLast ? ' text-anchor="end"' : '';
    return [`<text class="tick" x="${n(x)}" y="${height - 8}"${anchor}>${seconds(at)}</text>`];
  });
  const x = n(scale.x(violation.at));
  const here = `<line class="here" x1="${x}" x2="${x}" y1="2" y2="${height - 24}"><title>here it shows, at ${seconds(violation.at)}</title></line>`;
  return `<div class="drawing"><svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="timeline">${here}${rows.join('')}${ticks.join('')}</svg></div>`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 3)} s`;
const n = (value: number): string => value.toFixed(1);
