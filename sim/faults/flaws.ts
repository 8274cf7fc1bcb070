/**
 * What the schema cannot say of a fault: that its selector can match something in this world, and that its parts make
 * sense together. A fault that never comes is a mistake, so it is refused when it is written.
 */
import type { Flaw } from '../kernel/form.ts';
import { suggestion } from '../kernel/nearest.ts';
import { fits } from '../kernel/pattern.ts';
import type { Concerned } from './fault.ts';
import { isCondition, OTHER_EVENTS } from './judge.ts';
import { FAULT, type FaultSpec, OPERATIONS_OF, type Selector } from './schema.ts';

/** What there is to be named. */
export interface Vocabulary {
  /** What a part of the selector may be; `undefined` where anything may. A name that is not `closed` may come later. */
  names(part: string, selector: Selector): { readonly closed: boolean; readonly words: Iterable<string> } | undefined;
  states(of: Concerned): readonly string[];
  /** That answer requests. */
  readonly apis: readonly string[];
  /** Whether there is, or will be, a VM or a service with an id. */
  isPossible(part: 'vm' | 'service', id: number): boolean;
}

/**
 * A fault, or what is wrong with it.
 * @param nowMs when it is written: it may not be over by then. Left out for what is written before there is a clock
 */
export function readFault(value: unknown, vocabulary: Vocabulary, nowMs?: number): FaultSpec | Flaw[] {
  const flaws = FAULT.check(value, []);
  if (flaws.length > 0) return flaws;
  const spec = value as FaultSpec;
  const more = [...selectorFlaws(spec, vocabulary), ...effectFlaws(spec), ...triggerFlaws(spec, vocabulary)];
  if (more.length === 0 && nowMs !== undefined) more.push(...windowFlaws(spec, nowMs));
  return more.length === 0 ? spec : more;
}

function* selectorFlaws(spec: FaultSpec, vocabulary: Vocabulary): Generator<Flaw> {
  const { selector, effect } = spec;
  for (const [part, wanted] of Object.entries(selector)) {
    const path = ['selector', part];
    if (part === 'vm' || part === 'service') {
      if (!vocabulary.isPossible(part, Number(wanted))) {
        yield { path, problem: `there is no ${part === 'vm' ? 'VM' : part} ${wanted} any more` };
      }
    } else if (typeof wanted === 'string') {
      const only = part === 'operation' ? OPERATIONS_OF[`${selector.layer} ${effect.do}`] : undefined;
      const known = only === undefined ? vocabulary.names(part, selector) : { closed: true, words: only };
      if (known !== undefined) yield* namedFlaws(path, wanted, known);
    }
  }
}

function* namedFlaws(
  path: Flaw['path'],
  wanted: string,
  { closed, words }: { readonly closed: boolean; readonly words: Iterable<string> },
): Generator<Flaw> {
  if (!closed && wanted.includes('*')) return;
  const all = [...words];
  if (all.some((word) => fits(wanted, word))) return;
  const which = closed && all.length <= MOST_LISTED ? `: ${all.join(', ')}` : '';
  yield { path, problem: `nothing is called ${JSON.stringify(cut(wanted))}${suggestion(wanted, all)}${which}` };
}

/** More words than this are not listed. */
const MOST_LISTED = 20;

const cut = (given: string): string => (given.length > 64 ? `${given.slice(0, 64)}…` : given);

function* effectFlaws({ effect }: FaultSpec): Generator<Flaw> {
  if ('message' in effect && HALF_A_CHARACTER.test(effect.message ?? '')) {
    yield { path: ['effect', 'message'], problem: 'it has half a character in it' };
  }
  if (!('headers' in effect)) return;
  for (const [name, value] of Object.entries(effect.headers ?? {})) {
    const path = ['effect', 'headers', name];
    if (!HEADER_NAME.test(name)) yield { path, problem: `${JSON.stringify(cut(name))} is no name of a header` };
    else if (FRAMING.has(name.toLowerCase())) {
      yield { path, problem: 'how an answer is framed is for the layer transport, such as wrong-length' };
    } else if (!HEADER_VALUE.test(value)) {
      yield { path, problem: `${JSON.stringify(cut(value))} is no value of a header` };
    }
  }
}

/** A surrogate without its other half. */
const HALF_A_CHARACTER = /\p{Surrogate}/u;
/** RFC 9110, 5.1 and 5.5. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const FRAMING: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding']);

function* triggerFlaws(spec: FaultSpec, vocabulary: Vocabulary): Generator<Flaw> {
  const { selector, effect, budget, trigger = {} } = spec;
  const { window = {}, when = {}, after, words, times } = trigger;
  if (times !== undefined && budget?.hits !== undefined) {
    yield { path: ['trigger', 'times'], problem: 'it says the same as budget.hits' };
  }
  for (const [at, offset] of [
    ['from', 'fromMs'],
    ['to', 'toMs'],
  ] as const) {
    if (window[at] !== undefined && window[offset] !== undefined) {
      yield { path: ['trigger', 'window', offset], problem: `it says the same as ${at}` };
    }
    if (window[at] !== undefined && !isInstant(window[at])) {
      yield { path: ['trigger', 'window', at], problem: 'there is no such instant' };
    }
  }
  const [from, to] = [Date.parse(window.from ?? ''), Date.parse(window.to ?? '')];
  if (from >= to || (window.fromMs ?? 0) >= (window.toMs ?? Number.POSITIVE_INFINITY)) {
    yield { path: ['trigger', 'window'], problem: 'it ends before it begins' };
  }
  for (const [of, pattern] of Object.entries(when) as [Concerned, string][]) {
    const states = vocabulary.states(of);
    yield* namedFlaws(['trigger', 'when', of], pattern, { closed: true, words: states });
  }
  if (selector.layer === 'metrics') {
    for (const part of ['skip', 'every', 'times', 'when'] as const) {
      if (trigger[part] !== undefined) yield { path: ['trigger', part], problem: 'it means nothing to metrics' };
    }
    if (budget?.hits !== undefined) yield { path: ['budget', 'hits'], problem: 'it means nothing to metrics' };
  }
  if (after !== undefined) yield* eventFlaws(after, vocabulary);
  if (words === undefined) return;
  const path = ['trigger', 'words'];
  if (words.length === 0) yield { path, problem: 'there must be one at least' };
  if (selector.layer !== 'vm' || effect.do !== 'fail') {
    yield { path, problem: 'they are for the layer vm and the effect fail, which says what failure means' };
  } else if (isCondition(spec)) yield { path, problem: `they mean nothing to ${effect.do}` };
}

/** Whether the calendar has the day: a `Date` takes 31 February for a day in March. */
function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 10));
}

/** One that makes sense by itself may be over, or be so before it begins. */
function* windowFlaws({ trigger }: FaultSpec, nowMs: number): Generator<Flaw> {
  const { from, fromMs = 0, to, toMs } = trigger?.window ?? {};
  const begins = from === undefined ? nowMs + fromMs : Math.max(nowMs, Date.parse(from));
  const ends = to === undefined ? nowMs + (toMs ?? Number.POSITIVE_INFINITY) : Date.parse(to);
  if (ends > begins) return;
  const now = new Date(nowMs).toISOString();
  const problem = ends <= nowMs ? `it is over: it is ${now} now` : `it ends before it begins, as it is ${now} now`;
  yield { path: ['trigger', 'window'], problem };
}

const CONCERNED = ['vm', 'host', 'service'] as const;

function* eventFlaws(
  { event, subject }: { readonly event: string; readonly subject?: string },
  vocabulary: Vocabulary,
): Generator<Flaw> {
  const path = ['trigger', 'after', 'event'];
  const of = CONCERNED.find((concerned) => event.startsWith(`${concerned}.`));
  const words = [
    ...CONCERNED.flatMap((each) => vocabulary.states(each).map((state) => `${each}.${state}`)),
    ...vocabulary.apis.map((api) => `request.${api}`),
    ...STATUSES.map((status) => `answer.${status}`),
    ...OTHER_EVENTS,
  ];
  // Of the fault with that name, which may come later.
  if (!event.startsWith('fault.') || event.length === 'fault.'.length) {
    yield* namedFlaws(path, event, { closed: true, words });
  }
  if (subject === undefined || subject.includes('*')) return;
  const [, what, id] = /^(vm|host|service)\/(\d+)$/.exec(subject) ?? [];
  const isOther = of !== undefined && !OTHER_EVENTS.some((other) => fits(event, other)) && what !== of;
  if (isOther) {
    yield { path: ['trigger', 'after', 'subject'], problem: `${event} happens to ${of}/ID, such as ${of}/0` };
  } else if ((what === 'vm' || what === 'service') && !vocabulary.isPossible(what, Number(id))) {
    yield { path: ['trigger', 'after', 'subject'], problem: `there is no ${subject} any more` };
  }
}

/** Of answers. */
const STATUSES = Array.from({ length: 500 }, (_, n) => 100 + n);
