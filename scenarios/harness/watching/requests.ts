/** The requests that steps which look on stand for: lists and single elements, monitoring data, Prometheus. */
import type { Plea } from '../request.ts';
import type { ListName, WatchRequest } from './steps.ts';

/** Part of a function instance, as its monitoring data is found by. */
export interface Part {
  readonly instance: string;
  readonly vdu: string;
  readonly vc: string;
}

/** Of no function, and of no part of one. */
const NOBODYS = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
const MALFORMED = 'no-uuid';
const NO_PART: Part = { instance: NOBODYS, vdu: 'vdu01', vc: NOBODYS };

const BASE = '/api/v2';

/** A stream that nobody has asked for. */
export const NO_STREAM = '0'.repeat(32);

/** What a request has to be told, besides its step. */
export interface Circumstances {
  /** The present of who is asked, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** `user:password` */
  readonly session: string;
  /** What is known of a list, in the order in which it was first seen. */
  known(list: ListName): readonly string[];
  readonly parts: readonly Part[];
  /** The VM that a step refers to. */
  readonly vm: number | undefined;
}

/** @returns undefined when the step needs what has not been seen */
export function watchPlea(step: WatchRequest, circumstances: Circumstances): Plea | undefined {
  const { nowMs, session, known } = circumstances;
  switch (step.op) {
    case 'login': {
      const [username = '', ...password] = session.split(':');
      const body = JSON.stringify(
        step.auth === 'none' ? {} : { username, password: passwordOf(step, password.join(':')) },
      );
      const text = step.auth === 'scheme' ? `username=${username}` : body;
      return { method: 'POST', path: `${BASE}/sessions`, headers: { 'Content-Type': 'application/json' }, body: text };
    }
    case 'logout':
      return { method: 'DELETE', path: `${BASE}/sessions`, headers: {}, body: null };
    case 'functions.list':
      return get(`${BASE}/${step.of ?? 'functions'}${queryOf([], step.given)}`);
    case 'functions.get': {
      const list = step.of ?? 'functions';
      const uuid = soughtIn(known(list), step, NOBODYS, MALFORMED);
      return uuid === undefined ? undefined : get(`${BASE}/${list}/${uuid}`);
    }
    case 'metrics.names':
      return get(`${BASE}/functions/metrics/names`);
    case 'metrics.asynch':
    case 'metrics.synch': {
      const part = soughtIn(circumstances.parts, step, NO_PART, { ...NO_PART, instance: MALFORMED });
      if (part === undefined) return undefined;
      const form = step.form ?? 'metrics?';
      const infix = form.startsWith('metrics') ? '/metrics' : '';
      const what = step.op === 'metrics.asynch' ? 'asynch-mon-data' : 'synch-mon-data';
      const parameters = [['metrics', step.metrics.join(',')] as const, ...rangeOf(step, nowMs, instant)];
      const query = queryOf(parameters, step.given, form.at(-1));
      return get(`${BASE}/functions${infix}/${part.instance}/${part.vdu}/${part.vc}/${what}${query}`);
    }
    case 'prometheus.scrape':
      return get('/metrics');
    case 'prometheus.query': {
      const query = ['query', selectorOf(step.metric, circumstances.vm)] as const;
      const { since, until, step: pace } = Object.fromEntries(rangeOf(step, nowMs, seconds));
      if (since !== undefined && until !== undefined && pace !== undefined) {
        const range = [['start', since] as const, ['end', until] as const, ['step', pace] as const];
        return get(`/api/v1/query_range${queryOf([query, ...range], step.given)}`);
      }
      const time = until ?? since;
      return get(`/api/v1/query${queryOf(time === undefined ? [query] : [query, ['time', time]], step.given)}`);
    }
    default:
      return step satisfies never;
  }
}

const get = (path: string): Plea => ({ method: 'GET', path, headers: {}, body: null });

const passwordOf = ({ auth, password }: Extract<WatchRequest, { op: 'login' }>, right: string): string =>
  password ?? (auth === 'wrong' ? 'no such password' : right);

interface Sought {
  readonly nth?: number;
  readonly uuid?: 'known' | 'none' | 'malformed';
}

function soughtIn<T>(known: readonly T[], { nth = 0, uuid = 'known' }: Sought, none: T, malformed: T): T | undefined {
  if (uuid === 'known') return known[nth % Math.max(1, known.length)];
  return uuid === 'none' ? none : malformed;
}

type Parameter = readonly [name: string, value: string];

/** @param mark what stands before the parameters */
function queryOf(parameters: readonly Parameter[], given: Readonly<Record<string, string>> = {}, mark = '?'): string {
  const all = new Map([...parameters, ...Object.entries(given)]);
  const pairs = [...all].filter(([, value]) => value !== '').map(([name, value]) => `${name}=${encoded(value)}`);
  return pairs.length === 0 && mark === '?' ? '' : `${mark}${pairs.join('&')}`;
}

/** As people write them: commas and colons stay what they are. */
const encoded = (value: string): string => encodeURIComponent(value).replaceAll('%2C', ',').replaceAll('%3A', ':');

interface Range {
  readonly sinceAgoMs?: number;
  readonly untilAgoMs?: number;
  readonly stepMs?: number;
  readonly alignMs?: number;
}

/** Since, until and step, as far as they are given. */
function rangeOf(
  { sinceAgoMs, untilAgoMs, stepMs, alignMs = 1_000 }: Range,
  nowMs: number,
  written: (ms: number) => string,
): Parameter[] {
  const at = (agoMs: number): string => written(alignMs * Math.floor((nowMs - agoMs) / alignMs));
  const parameters: Parameter[] = [];
  if (sinceAgoMs !== undefined) parameters.push(['since', at(sinceAgoMs)]);
  if (untilAgoMs !== undefined) parameters.push(['until', at(untilAgoMs)]);
  if (stepMs !== undefined) parameters.push(['step', seconds(stepMs)]);
  return parameters;
}

const instant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
const seconds = (ms: number): string => `${ms / 1_000}`;

/** The series of a metric: of all, or of one VM, which OpenNebula's exporter and the probe inside name each in its way. */
function selectorOf(metric: string, vm: number | undefined): string {
  if (vm === undefined) return metric;
  return metric.startsWith('opennebula_') ? `${metric}{one_vm_id="${vm}"}` : `${metric}{exported_instance="one-${vm}"}`;
}
