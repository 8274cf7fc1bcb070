/** Odd values of every parameter of time, wherever one is asked for: understood or refused by name, and in bounded time. */
import { beforeAll, describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { Client, INSTANCE, runVnf, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

let client: Client;

beforeAll(async () => {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide });
  client = await Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations));
  await client.get('/packages');
});

type Range = Readonly<Record<'since' | 'until' | 'step', string>>;

/** What a range is answered with: null when it is understood, else why not. */
type Ask = (range: Range) => Promise<string | null>;

const encoded = (pairs: Readonly<Record<string, string>>): string => new URLSearchParams(pairs).toString();

interface Answered {
  readonly status?: string | null;
  readonly requested_data?: readonly { readonly error?: string }[];
  readonly error?: string | { readonly message: string };
}

const saidOf = (body: unknown): string | null => {
  const { error = null, requested_data: [entry] = [] } = body as Answered;
  return entry?.error ?? (typeof error === 'object' ? (error?.message ?? null) : error);
};

/** By who takes ranges. Whoever hides what Prometheus says, hides it behind these words. */
const PLACES: readonly (readonly [who: string, ask: Ask, hidden: string | null])[] = [
  [
    'asynch-mon-data?',
    async ({ since, until, step }) => {
      const query = encoded({ metrics: 'vm_up', since, until, step });
      return saidOf((await client.get(`/functions/metrics/${INSTANCE}/vdu01/${VC}/asynch-mon-data?${query}`)).body);
    },
    null,
  ],
  [
    'asynch-mon-data/',
    async ({ since, until, step }) => {
      const [from, to, by] = [since, until, step].map(encodeURIComponent);
      const path = `/functions/${INSTANCE}/vdu01/${VC}/asynch-mon-data`;
      return saidOf((await client.get(`${path}/metrics=vm_up&since=${from}&until=${to}&step=${by}`)).body);
    },
    null,
  ],
  [
    'prometheus/metrics/data',
    async ({ since, until, step }) => {
      const headers = { 'Content-Type': 'application/json' };
      const body = JSON.stringify({ name: 'vm_up', start: since, end: until, step });
      return saidOf((await client.send('POST', '/monitoring/api/v1/prometheus/metrics/data', { headers, body })).body);
    },
    null,
  ],
  [
    'kpis/collected',
    async ({ since, until, step }) => {
      const query = encoded({ name: 'packages_queries', start: since, end: until, step });
      return saidOf((await client.get(`/kpis/collected?${query}`)).body);
    },
    'Error collecting the KPIs',
  ],
];

const NOW = TODAY / 1000;
const LAST = '8640000000000';

const TIMES = [
  ...['0', '-1', '+1', '.5', '1.', `${NOW}`, `${NOW}.123456789`, '1.504011287e9', '1E3', LAST, `-${LAST}`],
  ...['2017-08-29T12:54:47Z', '2017-08-29T12:54:47.1Z', '2017-08-29T12:54:47.123456789Z', '2016-02-29T00:00:00Z'],
  ...['2017-08-29T14:54:47+02:00', '2017-08-29T12:54:47+00:00', '2017-08-29T12:54:47-00:00', '9999-12-31T23:59:59Z'],
];

const NO_TIMES = [
  ...[
    'now',
    'yesterday',
    'NaN',
    'Inf',
    '-Inf',
    'Infinity',
    'null',
    'undefined',
    'true',
    '[]',
    '{}',
    '$now',
    '%',
    '\\',
    '"',
  ],
  ...[
    '0x10',
    '0b1',
    '1_000',
    '1,5',
    '1 5',
    ' 1',
    '1 ',
    '10s',
    '--1',
    '1e',
    'e1',
    '1e99',
    '1e400',
    '9'.repeat(400),
    '١٢٣',
  ],
  ...['2017-08', '2017-08-29', '2017-W35-2', '20170829T125447Z', '2017-08-29T12:54Z', '2017-08-29T12:54:47'],
  ...['2017-08-29 12:54:47Z', '2017-08-29t12:54:47Z', '2017-08-29T12:54:47z', '2017-08-29T12:54:47.Z', '29.08.2017'],
  ...[
    '2017-02-30T00:00:00Z',
    '2017-13-01T00:00:00Z',
    '2017-00-01T00:00:00Z',
    '2017-08-00T00:00:00Z',
    '17-08-29T00:00:00Z',
  ],
  ...[
    '2017-08-29T24:00:00Z',
    '2017-08-29T12:60:00Z',
    '2017-08-29T12:54:60Z',
    '2017-08-29T12:54:47+25:00',
    '+12017-01-01T00:00:00Z',
  ],
  ...[
    '2017-08-29T12:54:47+0200',
    '2017-08-29T12:54:47 UTC',
    'Tue, 29 Aug 2017 12:54:47 GMT',
    '8640000000001',
    '-8640000000001',
  ],
];

const STEPS = ['1', '0.001', '1e3', '10s', '1m', '250ms', '2h', '1d', '1w', '1y', '007s', LAST, '273972y'];

const NO_STEPS = [
  ...[
    's',
    '1S',
    '1x',
    '1.5m',
    '1m30s',
    '-1m',
    '+1s',
    '1 s',
    '1s ',
    'NaN',
    'Inf',
    '1e99',
    '9'.repeat(400),
    '99999999999y',
    '٣s',
    'null',
  ],
];

const STOPPED_STEPS = ['0', '-0', '+0', '-1', '-0.5', '-1e9', '0s', '0ms', '0y', '0.0001', '1e-300'];

describe.each(PLACES)('%s', (_, ask, hidden) => {
  /** As Go quotes. */
  const cannot = (value: string, what: string): string =>
    hidden ?? `cannot parse ${JSON.stringify(value).replaceAll('\\\\', '\\\\')} to a valid ${what}`;

  test.each(TIMES)('understands the time %s', async (time) => {
    expect(await ask({ since: time, until: time, step: '1' })).toBeNull();
  });

  test.each(NO_TIMES)('does not take %s for a time', async (time) => {
    expect(await ask({ since: time, until: '1', step: '1' })).toBe(cannot(time, 'timestamp'));
    expect(await ask({ since: '1', until: time, step: '1' })).toBe(cannot(time, 'timestamp'));
  });

  test.each(STEPS)('understands the step %s', async (step) => {
    expect(await ask({ since: `${NOW - 10}`, until: `${NOW}`, step })).toBeNull();
  });

  test.each(NO_STEPS)('does not take %s for a step', async (step) => {
    expect(await ask({ since: '1', until: '2', step })).toBe(cannot(step, 'duration'));
  });

  test.each(STOPPED_STEPS)('goes nowhere in steps of %s', async (step) => {
    const words = 'zero or negative query resolution step widths are not accepted. Try a positive integer';
    expect(await ask({ since: '1', until: '2', step })).toBe(hidden ?? words);
  });

  test.each([
    ['0', '11000.999', '1', true],
    ['0', '11001', '1', false],
    [`-${LAST}`, LAST, '1', false],
    [`-${LAST}`, LAST, '1y', false],
    [`-${LAST}`, LAST, '1570910000', true],
    [LAST, `-${LAST}`, '0.001', true],
    ['1', '0', '1', true],
    [`${NOW}`, `${NOW + 11_000_000}`, '1000', true],
  ])('from %s to %s in steps of %s', async (since, until, step, fits) => {
    const words =
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)';
    expect(await ask({ since, until, step })).toBe(fits ? null : (hidden ?? words));
  });
});

/** Bodies in JSON: who takes them, with which members. */
const BODIES: readonly (readonly [method: string, path: string, body: Readonly<Record<string, unknown>>])[] = [
  ['POST', '/sessions', { username: 'sonata', password: '1234' }],
  [
    'POST',
    '/users',
    { username: 'x', password: 'x', email: 'x', user_type: 'admin', first_name: 'x', phone_number: 'x' },
  ],
  ['PUT', '/users', { username: 'sonata', password: '1234', email: 'x', user_type: 'admin', last_name: 'x' }],
  ['PATCH', '/users/sonata/user-public-key', { public_key: 'x' }],
  ['POST', '/licences', { service_uuid: 'x', license_type: 'PUBLIC' }],
  ['POST', '/requests', { request_type: 'CREATE', service_uuid: 'x', service_instance_uuid: 'x' }],
  ['PUT', '/kpis', { name: 'x', metric_type: 'counter', docstring: 'x', base_labels: { a: 'b' } }],
  ['POST', '/monitoring/api/v1/ws/new', { metric: 'vm_up', filters: ["type='vnf'"] }],
  [
    'POST',
    '/monitoring/api/v1/prometheus/metrics/data',
    { name: 'vm_up', start: 1, end: 2, step: 1, labels: [{ labeltag: 'id', labelid: 'x' }] },
  ],
];

const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

const ODD_MEMBERS = [
  ...[
    'null',
    'true',
    '0',
    '1e308',
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '[{}]',
    '{"a":{}}',
    DEEP,
  ],
  ...[
    '{"toString":1,"valueOf":1}',
    '[{"toString":1}]',
    '{"a":{"toString":1}}',
    '{"__proto__":[]}',
    '[{"labeltag":{},"labelid":1}]',
  ],
  ...['"__proto__"', '"constructor"', `[${DEEP}]`, `{"a":${DEEP}}`, JSON.stringify('x'.repeat(5_000))],
];

test.each(BODIES)('%s %s takes whatever stands in the place of a member', async (method, path, body) => {
  const headers = { Authorization: `bearer ${client.token}`, 'Content-Type': 'application/json' };
  for (const key of Object.keys(body)) {
    for (const odd of ODD_MEMBERS) {
      const members = Object.entries({ ...body, [key]: 'ODD' }).map(([name, value]) => [name, JSON.stringify(value)]);
      const text = members.map(([name, value]) => `"${name}":${value === '"ODD"' ? odd : value}`).join();
      expect((await client.send(method, path, { headers, body: `{${text}}` })).status).toBeLessThan(500);
    }
  }
  for (const odd of ODD_MEMBERS) {
    expect((await client.send(method, path, { headers, body: odd })).status).toBeLessThan(500);
  }
});

describe('what would take too long', () => {
  const range = { start: NOW - 11_000, end: NOW, step: 1 };

  /** Of many machines, whose descriptor has many rules. */
  async function crowded(machines: number, rules: number) {
    const { fetch, world } = createSimulator({
      epochMs: TODAY,
      furnish: (cloud) => {
        const guide = userGuide(cloud);
        for (let i = 0; i < machines; i++) runVnf(cloud, `more-${i}`);
        const monitoring_rules = Array.from({ length: rules }, (_, n) => ({
          name: `r${n}`,
          condition: 'vdu01:vm_cpu_perc < 1000',
          duration: 1,
          duration_unit: 'd',
          notification: [],
        }));
        const functions = guide.functions.map((one) => ({
          ...one,
          descriptor: { ...one.descriptor, monitoring_rules },
        }));
        return { ...guide, functions };
      },
    });
    const asking = await Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations));
    const headers = { 'Content-Type': 'application/json' };
    const data = (name: string, more: object = range) => {
      const body = JSON.stringify({ name, ...more });
      return asking.send('POST', '/monitoring/api/v1/prometheus/metrics/data', { headers, body });
    };
    return { asking, data };
  }

  const execution = (error: string) => ({ status: 200, body: { status: 'error', errorType: 'execution', error } });
  const tooMany = 'the answer would have more than 2000000 points';
  const tooLong = 'too many evaluations of alerting rules: ask for a shorter time';

  test('all points of all machines are refused at the manager, and those of a few are not', async () => {
    const { data } = await crowded(200, 0);
    expect(await data('vm_up')).toMatchObject(execution(tooMany));
    expect(await data('opennebula_vm_state')).toMatchObject(execution(tooMany));
    const few = await data('vm_up', { ...range, step: 100 });
    expect((few.body as { metrics: { result: unknown[] } }).metrics.result.length).toBeGreaterThan(200);
    // Where there is nothing to show, there is nothing to refuse.
    expect((await data('vm_up', { start: 0, end: 11_000, step: 1 })).body).toMatchObject({ metrics: { result: [] } });
  });

  test('alerts that cannot be found in time are refused', async () => {
    const { asking } = await crowded(0, 60);
    const path = '/monitoring/api/v1/prometheus/metrics/name/ALERTS/';
    expect(await asking.send('GET', path)).toMatchObject(execution(tooLong));
    const query = `metrics=ALERTS&since=${NOW - 86_400}&until=${NOW}&step=600`;
    expect(await asking.get(`/functions/${INSTANCE}/vdu01/${VC}/asynch-mon-data?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: 400, message: tooLong } },
    });
  }, 20_000);
});
