/**
 * Actions that a VM is to undergo at a given time, once or again and again: what a SCHED_ACTION says, and when its turn
 * comes next. Mirrors `ScheduledAction.cc` of OpenNebula 6.10; days begin and end in UTC.
 */
import { type ErrorCode, OneError } from '../error.ts';
import type { Template, Vector } from '../syntax/syntax.ts';
import { ACTIONS } from './lifecycle.ts';

/** What a SCHED_ACTION says. */
interface Plan {
  action: string;
  /** A list with commas. */
  args: string;
  /** When its turn comes, in seconds since the Unix epoch. */
  time: number;
  /** Index into {@link REPEATS}; {@link NONE} when it happens once. */
  repeat: number;
  /** Days of a week, month or year, or hours, by `repeat`. */
  days: string;
  /** One of {@link ENDS}, or {@link NONE}. */
  endType: number;
  /** How often it happens again, or the last second at which it may, by `endType`. */
  endValue: number;
  /** When its owner is to be told beforehand; 0 for never. */
  warning: number;
}

export interface ScheduledAction extends Plan {
  readonly id: number;
  /** When it was last done, in seconds; -1 before the first time. */
  done: number;
  /** Why it was refused, until it is done. */
  message: string;
}

const NONE = -1;

const ENDS = { NEVER: 0, TIMES: 1, DATE: 2 } as const;

const DAY_SECONDS = 86_400;

interface Repeat {
  /** The least and greatest of DAYS, and what oned says of others. */
  readonly first: number;
  readonly last: number;
  readonly outOfRange: string;
  /** The number that a date has among them, and how many there are then; an interval of hours has neither. */
  readonly calendar?: { readonly day: (date: Date) => number; readonly days: (date: Date) => number };
}

/** REPEAT by number: weekly, monthly, yearly, hourly. */
const REPEATS: readonly Repeat[] = [
  {
    first: 0,
    last: 6,
    outOfRange: 'Days in a week have to be in [0,6] range',
    calendar: { day: (date) => date.getUTCDay(), days: () => 7 },
  },
  {
    first: 1,
    last: 31,
    outOfRange: 'Days in a month have to be in [1,31] range',
    calendar: {
      day: (date) => date.getUTCDate(),
      days: (date) => daysBetween(monthOf(date, 0), monthOf(date, 1)),
    },
  },
  {
    first: 0,
    last: 365,
    outOfRange: 'Days in a year have to be in [0,365] range',
    calendar: {
      day: (date) => Math.floor(daysBetween(yearOf(date, 0), date.getTime())),
      days: (date) => daysBetween(yearOf(date, 0), yearOf(date, 1)),
    },
  },
  { first: 0, last: 167, outOfRange: 'Hours have to be in [0,168] range' },
];

const monthOf = (date: Date, later: number): number => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later);
const yearOf = (date: Date, later: number): number => Date.UTC(date.getUTCFullYear() + later, 0);
const daysBetween = (fromMs: number, toMs: number): number => (toMs - fromMs) / (DAY_SECONDS * 1000);

/** All that can be scheduled. */
const SCHEDULABLE: ReadonlySet<string> = new Set([
  ...Object.keys(ACTIONS).filter((name) => name !== 'resched' && name !== 'unresched'),
  'snapshot-create',
  'snapshot-revert',
  'snapshot-delete',
  'disk-snapshot-create',
  'disk-snapshot-revert',
  'disk-snapshot-delete',
  'backup',
]);

// ---- what is said -------------------------------------------------------------------------------------------------

const NOTHING: Plan = {
  action: '',
  args: '',
  time: NONE,
  repeat: NONE,
  days: '',
  endType: NONE,
  endValue: NONE,
  warning: 0,
};

/**
 * @param origin what a TIME of `+n` counts from, in seconds: the VM's start
 * @param before what holds where the SCHED_ACTION says nothing
 * @throws OneError of the calling method's code
 */
export function planOf(wanted: Vector, origin: number, code: ErrorCode, before: Plan = NOTHING): Plan {
  const refuse = (why: string): never => {
    throw new OneError(code, why);
  };
  const said = (name: string): string => wanted.get(name) ?? '';
  const action = said('ACTION') || before.action;
  if (said('ACTION') !== '' && !SCHEDULABLE.has(action)) refuse(`${action} is not supported.`);
  if (action === '') refuse('No ACTION in template for Scheduled Action.');
  const time = said('TIME') === '' ? before.time : timeIn(said('TIME'), origin);
  if (time === NONE) refuse(`Unable to parse the time value or value is empty: ${said('TIME')}`);
  const warning = said('WARNING') === '' ? before.warning : timeIn(said('WARNING'), origin);
  if (warning === NONE) refuse(`Unable to parse the warning value: ${said('WARNING')}`);
  const repeat = integerIn(said('REPEAT')) ?? before.repeat;
  if (repeat < NONE || repeat >= REPEATS.length) refuse(`Wrong REPEAT value: ${repeat}`);
  const days = repeat === NONE ? '' : (wanted.get('DAYS') ?? before.days);
  if (repeat !== NONE && !wanted.has('DAYS') && days === '') refuse('Repeat set, but DAYS are empty');
  const problem = wanted.has('DAYS') ? daysProblem(repeat, days) : undefined;
  if (problem !== undefined) refuse(problem);
  const endType = integerIn(said('END_TYPE')) ?? before.endType;
  if (endType < NONE || endType > ENDS.DATE) refuse(`Wrong END_TYPE value: ${endType}`);
  // As in oned, an END_TYPE without an END_VALUE passes: then it ends with the first time.
  const endValue = endType <= ENDS.NEVER ? NONE : (integerIn(said('END_VALUE')) ?? before.endValue);
  if (said('END_VALUE') !== '' && endType === ENDS.TIMES && endValue < 0) {
    refuse('Error parsing END_VALUE, times has to be greater or equal to 0');
  }
  if (said('END_VALUE') !== '' && endType === ENDS.DATE && endValue === NONE) {
    refuse('Error parsing END_VALUE, wrong format for date.');
  }
  const args = wanted.get('ARGS') ?? before.args;
  // Both go into the XML as they are.
  if (/[&<]/.test(args + days)) refuse('Error validating Scheduled Action XML.');
  return { action, args, time, repeat, days, endType, endValue, warning };
}

/** What the SCHED_ACTIONs of a template say. @throws OneError INTERNAL */
export function plansIn(template: Template, origin: number): Plan[] {
  return template.vectors('SCHED_ACTION').map((wanted) => planOf(wanted, origin, 'INTERNAL'));
}

const LARGEST = 2 ** 63;

/** A number as C++ reads one; `undefined` when it is none. */
function integerIn(text: string): number | undefined {
  const [, sign = '', digits] = /^\s*([-+]?)0*(\d{1,19})$/.exec(text) ?? [];
  const value = digits === undefined ? Number.NaN : Number(sign + digits);
  return Math.abs(value) < LARGEST ? value : undefined;
}

function timeIn(text: string, origin: number): number {
  const relative = text.startsWith('+');
  const time = integerIn(relative ? text.slice(1) : text);
  return time === undefined ? NONE : time + (relative ? origin : 0);
}

/** The numbers in a list with commas, from the least; what does not begin with one counts for nothing. */
function numbersIn(list: string): number[] {
  const numbers = list.split(',').flatMap((part) => /^\s*[-+]?\d{1,9}/.exec(part) ?? []);
  return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
}

function daysProblem(repeat: number, list: string): string | undefined {
  const rules = REPEATS[repeat];
  if (rules === undefined) return undefined;
  const days = numbersIn(list);
  if (days.length === 0) return 'Scheduled Action repeat set, but DAYS are empty';
  const fits = days.every((day) => day >= rules.first && day <= rules.last);
  return fits && (rules.calendar !== undefined || days.length === 1) ? undefined : rules.outOfRange;
}

// ---- when its turn comes ------------------------------------------------------------------------------------------

/** Whether its turn is still to come. */
export const isWaiting = ({ time, done }: ScheduledAction): boolean => time > done;

/** It has been done: from now on it waits for its next time, if it has one. */
export function pass(planned: ScheduledAction, now: number): void {
  planned.done = now;
  planned.message = '';
  const rules = REPEATS[planned.repeat];
  const days = numbersIn(planned.days);
  const [first] = days;
  if (rules === undefined || first === undefined || isOver(planned, now)) return;
  if (planned.endType === ENDS.TIMES) planned.endValue--;
  if (rules.calendar === undefined) {
    const step = first * 3600;
    // Where oned would count on for ever, it is over.
    if (step > 0) planned.time += step * Math.max(1, Math.ceil((now - planned.time) / step));
    return;
  }
  const date = new Date(now * 1000);
  const today = rules.calendar.day(date);
  const next = days.find((day) => day > today) ?? first + rules.calendar.days(date);
  planned.time += (next - today) * DAY_SECONDS;
  planned.warning = 0;
}

function isOver({ endType, endValue }: ScheduledAction, now: number): boolean {
  if (endType === ENDS.TIMES) return endValue <= 0;
  return endType === ENDS.DATE && now > endValue;
}
