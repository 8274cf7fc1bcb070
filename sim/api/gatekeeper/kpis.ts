/** Key performance indicators: what the Gatekeeper counts of the requests that it answers. Mirrors `son-gtkkpi` and its Pushgateway. */
import type { Context, Handler } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import { attempt, whenThere } from '../../kernel/soon.ts';
import { type MatrixSeries, type Point, parseRange, type Range } from '../../metrics/query.ts';
import { BadData } from '../../metrics/time.ts';
import { isObject } from '../../one/flow/json.ts';
import { json, Refusal } from './answer.ts';
import { membersIn, textOf } from './json-body.ts';
import { isMetricName } from './monitoring-parameters.ts';

const COUNTERS = {
  functions_metadata_queries: {
    module: 'functions',
    method: 'GET',
    help: 'how many lists of functions were asked for',
  },
  function_metadata_queries: { module: 'functions', method: 'GET', help: 'how many functions were asked for' },
  functions_metrics_queries: { module: 'metrics', method: 'GET', help: 'how many lists of metrics were asked for' },
  asynch_monitoring_data_requests: {
    module: 'metrics',
    method: 'GET',
    help: 'how often historical data were asked for',
  },
  synch_monitoring_data_requests: { module: 'metrics', method: 'GET', help: 'how often live data were asked for' },
  records_requests: { module: 'records', method: 'GET', help: 'how many lists of records were asked for' },
  single_record_queries: { module: 'records', method: 'GET', help: 'how many records were asked for' },
  services_metadata_queries: { module: 'services', method: 'GET', help: 'how many lists of services were asked for' },
  service_metadata_queries: { module: 'services', method: 'GET', help: 'how many services were asked for' },
  package_on_boardings: { module: 'packages', method: 'POST', help: 'how many packages were uploaded' },
  packages_queries: { module: 'packages', method: 'GET', help: 'how many lists of packages were asked for' },
  single_package_queries: { module: 'packages', method: 'GET', help: 'how many packages were asked for' },
  package_downloads: { module: 'packages', method: 'GET', help: 'how many packages were downloaded' },
  packages_deletions: { module: 'packages', method: 'DELETE', help: 'how many packages were deleted' },
  user_registrations: { module: 'users', method: 'POST', help: 'how many users have registered' },
  user_logout_requests: { module: 'users', method: 'DELETE', help: 'how many users logged out' },
} as const;

export type Counter = keyof typeof COUNTERS;

const isCounter = (name: string): name is Counter => Object.hasOwn(COUNTERS, name);

/** By status; what is answered with another one is not counted. */
const RESULTS: Readonly<Record<number, string>> = {
  200: 'ok',
  201: 'ok',
  204: 'ok',
  400: 'bad request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not found',
};

/** The newest of these are kept. */
const MOST_REQUESTS = 10_000;

/** More points than this are not answered. */
const MOST_POINTS = 2_000_000;

/** How often Prometheus looks at the Pushgateway. */
const SCRAPE_MS = 15_000;

type Labels = Readonly<Record<string, string>>;

interface Counted {
  readonly counter: string;
  readonly labels: Labels;
  readonly at: number;
}

/** Requests with equal labels, and when they were made, oldest first. */
interface Series {
  readonly labels: Labels;
  readonly times: readonly number[];
}

interface KpisState {
  readonly requests: Counted[];
  readonly others: Map<string, string>;
}

export class Kpis {
  readonly #clock: Clock;
  #requests: Counted[] = [];
  /** Help texts of the counters of other parts of the platform, by name. */
  #others = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  state(): KpisState {
    return { requests: this.#requests, others: this.#others };
  }

  restore({ requests, others }: KpisState): void {
    this.#requests = requests;
    this.#others = others;
  }

  /** A handler whose requests are counted. @param counter also one that depends on why a request was refused, or none */
  counted(counter: Counter | ((refusal: Refusal | null) => Counter | null), answer: Handler): Handler {
    const chosen = typeof counter === 'string' ? () => counter : counter;
    return (c, next) => {
      const answered = attempt<Response>(
        () => answer(c, next),
        (error) => {
          if (error instanceof Refusal) this.#count(c, chosen(error), error.status);
          throw error;
        },
      );
      return whenThere(answered, (response) => {
        this.#count(c, chosen(null), response.status);
        return response;
      });
    };
  }

  /** Counts what another part of the platform says. @throws Refusal 400 */
  put(body: Uint8Array): void {
    const { name, metric_type: type, docstring, labels } = updateIn(body);
    const isNew = !isCounter(name) && !this.#others.has(name);
    if (type !== 'counter' || (isNew && this.#others.size >= MOST_OTHERS)) {
      throw new Refusal(400, `Metric was not updated for update_metric ${name}`);
    }
    if (isNew) this.#others.set(name, docstring);
    this.#add({ counter: name, labels, at: this.#clock.now });
  }

  /** All counters that have counted, or one of them. @throws Refusal 404 */
  shown(name: string | undefined): object {
    const all = [...Object.keys(COUNTERS), ...this.#others.keys()];
    if (name === undefined)
      return all.map((counter) => this.#shown(counter)).filter(({ metrics }) => metrics.length > 0);
    if (!all.includes(name)) throw new Refusal(404, `KPI ${name} not found`);
    return this.#shown(name);
  }

  /** The matrix of a counter, as Prometheus collected it. @throws Refusal 400 */
  collected(query: URLSearchParams): MatrixSeries[] {
    const name = required(query, 'name', 'name');
    const since = required(query, 'start', 'start date');
    const until = required(query, 'end', 'end date');
    const step = required(query, 'step', 'step');
    const ids = query.getAll('labels[][labelid]');
    const wanted = query.getAll('labels[][labeltag]').map((tag, i) => [tag, ids[i] ?? ''] as const);
    try {
      return this.#matrix(name, wanted, parseRange(since, until, step));
    } catch (error) {
      if (error instanceof BadData) throw new Refusal(400, 'Error collecting the KPIs');
      throw error;
    }
  }

  #count(c: Context, counter: Counter | null, status: number): void {
    const result = status === 401 && !c.req.header('Authorization') ? 'Unauthorized' : RESULTS[status];
    if (counter === null || result === undefined) return;
    const { module, method } = COUNTERS[counter];
    const uuid = shortly(c.req.param('uuid') ?? c.req.param('instance') ?? '');
    const { now } = this.#clock;
    // Handlers take no simulated time.
    const labels = { elapsed_time: '0.0', method, module, result, time_stamp: new Date(now).toISOString(), uuid };
    this.#add({ counter, labels, at: now });
  }

  #add(counted: Counted): void {
    this.#requests.push(counted);
    if (this.#requests.length >= 2 * MOST_REQUESTS) this.#requests = this.#requests.slice(-MOST_REQUESTS);
  }

  #shown(counter: string) {
    const metrics = this.#seriesOf(counter).map(({ labels, times }) => ({ labels, value: `${times.length}` }));
    const help = isCounter(counter) ? COUNTERS[counter].help : this.#others.get(counter);
    return { name: counter, help, type: 'counter', metrics };
  }

  #seriesOf(counter: string): readonly Series[] {
    const found = new Map<string, { readonly labels: Labels; readonly times: number[] }>();
    for (const request of this.#requests.slice(-MOST_REQUESTS)) {
      if (request.counter !== counter) continue;
      const key = JSON.stringify(request.labels);
      const series = found.get(key) ?? { labels: request.labels, times: [] };
      found.set(key, series);
      series.times.push(request.at);
    }
    return [...found.values()];
  }

  #matrix(name: string, wanted: readonly (readonly [string, string])[], range: Range): MatrixSeries[] {
    const { since, until, step } = range;
    const last = Math.min(until, this.#clock.now);
    const asked = this.#seriesOf(name)
      .map(({ labels, times }) => ({ metric: { ...labels, __name__: name, ...STORED }, times }))
      .filter(({ metric }) => wanted.every(([tag, id]) => (metric as Labels)[tag] === id));
    if (asked.length * Math.max(0, (last - since) / step) > MOST_POINTS) throw new BadData('too many points');
    return asked.flatMap(({ metric, times }) => {
      const values: Point[] = [];
      const [from = 0] = times;
      // The first evaluation at which it may have been seen.
      const first = since + Math.max(0, Math.ceil((from - since) / step)) * step;
      let count = 0;
      for (let at = first; at <= last; at += step) {
        const scraped = Math.floor(at / SCRAPE_MS) * SCRAPE_MS;
        while ((times[count] ?? Number.POSITIVE_INFINITY) <= scraped) count++;
        if (count > 0) values.push([at / 1000, `${count}`]);
      }
      return values.length === 0 ? [] : [{ metric, values }];
    });
  }
}

/** What Prometheus adds to the labels of whatever comes from this Gatekeeper. */
const STORED = {
  exported_instance: 'gtkapi',
  exported_job: 'sonata',
  group: 'development',
  instance: 'pushgateway:9091',
  job: 'sonata',
};

function required(query: URLSearchParams, key: string, what: string): string {
  const value = query.get(key);
  if (value === null || value === '') throw new Refusal(400, `The KPI ${what} must be given`);
  return value;
}

/** What stands where a UUID should, if it is no longer than one may be; a copy, which does not keep the whole URL. */
const shortly = (text: string): string => (text.length > MOST_UUID_CHARS ? '' : Buffer.from(text).toString());

const MOST_UUID_CHARS = 100;

/** What other parts of the platform may say, at most. */
const MOST_OTHERS = 1_000;
const MOST_LABELS = 20;
const MOST_CHARS = 1_000;

/** A counter, and the labels under which it is to count one more. @throws Refusal 400 */
function updateIn(body: Uint8Array) {
  const update = membersIn(body);
  if (update === undefined) throw new Refusal(400, 'No params specified for the create request');
  const { name, metric_type, docstring = '', base_labels: labels = {} } = update;
  const isNamed = typeof name === 'string' && isMetricName(name) && name.length <= MOST_CHARS;
  if (!isNamed || !isObject(labels) || typeof docstring !== 'string' || docstring.length > MOST_CHARS) {
    throw new Refusal(400, 'Metric was not updated for update_metric');
  }
  const given = Object.entries(labels);
  const texts = given.flatMap(([label, value]) => {
    const text = textOf(value);
    return text === undefined ? [] : [[label, text] as const];
  });
  if (texts.length > MOST_LABELS || texts.length < given.length || texts.flat().join('').length > MOST_CHARS) {
    throw new Refusal(400, `Metric was not updated for update_metric ${name}`);
  }
  return { name, metric_type, docstring, labels: Object.fromEntries(texts) };
}

/** What a request for indicators is answered with. */
export const kpisAnswer = (kpis: Kpis, url: string): Response =>
  json({ status: 200, data: kpis.shown(new URL(url).searchParams.get('name') ?? undefined) });

const isMissing = (refusal: Refusal | null): boolean => /is missing$/.test(refusal?.message ?? '');

/** Historical data for which parameters or rights are missing are counted as live data, by the server's mistake. */
export const asynchCounter = (refusal: Refusal | null): Counter =>
  isMissing(refusal) || refusal?.status === 403 ? 'synch_monitoring_data_requests' : 'asynch_monitoring_data_requests';

/** Live data for which parameters are missing are not counted. */
export const synchCounter = (refusal: Refusal | null): Counter | null =>
  isMissing(refusal) ? null : 'synch_monitoring_data_requests';
