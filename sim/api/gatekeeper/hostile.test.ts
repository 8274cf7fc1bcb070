import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator, PROFILES, type SimulatorConfig } from '../../simulator.ts';
import { Client, FUNCTION, INSTANCE, PACKAGE, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

const PACKAGE_URL = `http://onesim/packages/${PACKAGE}/download`;

function start(given: Partial<SimulatorConfig> = {}) {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide, ...given });
  return { fetch: checkedFetch(fetch, contracts, world.config.deviations), world };
}

const odd = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e400',
    'NaN',
    '9'.repeat(400),
    '%',
    '%zz',
    '%00',
    '%ff',
    '%2F',
    '..',
    '.',
    '__proto__',
  ),
  fc.constantFrom(
    '2017-02-30T00:00:00Z',
    '0000-00-00T00:00:00Z',
    '+1',
    '10s',
    '99999999999y',
    '1504011287',
    VC,
    INSTANCE,
  ),
  fc.constantFrom(
    'metrics',
    'names',
    'asynch-mon-data',
    'synch-mon-data',
    'metrics=vm_up&since=1&until=2&step=1',
    FUNCTION,
  ),
  fc.constantFrom(
    'vm_up',
    'vm_cpu_perc,vm_up',
    ',',
    'a'.repeat(3000),
    'vm_up,'.repeat(400),
    '"',
    "'",
    '\\',
    '{}',
    '\u2028',
  ),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map(encodeURIComponent.bind(null)),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((text) => text.replace(/[?#/\s]/g, '_')),
);

const segments = fc.array(odd, { maxLength: 7 });
const names = fc.constantFrom(
  'metrics',
  'since',
  'until',
  'step',
  'offset',
  'limit',
  'fields',
  'version',
  'x.y',
  'name',
  'start',
  'end',
  'labels[][labeltag]',
  'uuid',
);
const query = fc.array(
  fc.tuple(names, odd).map(([name, value]) => `${name}=${value}`),
  { maxLength: 6 },
);

const BASES = [
  '/api/v2',
  '/functions',
  '/functions/metrics',
  `/functions/${INSTANCE}/vdu01/${VC}`,
  '/services',
  '/records',
  '/records/functions',
  '/records/services',
  '/packages',
  '/users',
  '/requests',
  '/licences',
  '/kpis',
  '/kpis/collected',
  '/available-services',
  '/monitoring/api/v1',
  '/monitoring/api/v1/prometheus/metrics/name',
];

const aPath = fc
  .tuple(fc.constantFrom(...BASES), segments, query)
  .map(([base, path, pairs]) => `${[base, ...path].join('/')}?${pairs.join('&')}`);

const aMonitoringPath = fc
  .tuple(fc.constantFrom('asynch', 'synch'), fc.constantFrom('?', '/'), query)
  .map(([kind, by, pairs]) => `/functions/${INSTANCE}/vdu01/${VC}/${kind}-mon-data${by}${pairs.join('&')}`);

const aMethod = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');

test.each(['upstream', 'contract'] as const)(
  'whatever is asked for, the answer keeps the contract and is no failure (%s)',
  async (profile) => {
    const { fetch, world } = start({ deviations: PROFILES[profile] });
    const client = await Client.loggedIn(fetch);
    await fc.assert(
      fc.asyncProperty(fc.oneof(aPath, aMonitoringPath), aMethod, async (path, method) => {
        const headers = { Authorization: `bearer ${client.token}` };
        // Dots may lead out of the Gatekeeper, to where answers are no JSON.
        const { status } = await fetch(new Request(`http://onesim${path}`, { method, headers }));
        expect(status).toBeLessThan(500);
      }),
      { seed: 1, numRuns: 700 },
    );
    expect([...world.journal.since()].filter(({ kind }) => kind === 'defect')).toEqual([]);
  },
  60_000,
);

test('whatever is uploaded, it is refused with a reason, and nothing of it stays', async () => {
  const { fetch, world } = start();
  const client = await Client.loggedIn(fetch);
  const headers = { Authorization: `bearer ${client.token}` };
  const whole = new Uint8Array(await (await fetch(new Request(PACKAGE_URL, { headers }))).arrayBuffer());
  const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(flips, fc.nat(whole.length), fc.boolean(), async (changes, length, isCut) => {
      const bent = whole.slice(0, isCut ? length : whole.length);
      for (const [at, value] of changes) if (at < bent.length) bent[at] = value;
      const body = new FormData();
      body.set('package', new Blob([bent]), 'x.son');
      // What is whole after all is there already.
      expect([400, 409]).toContain((await client.send('POST', '/packages', { body, headers })).status);
    }),
    { seed: 1, numRuns: 200 },
  );
  for (const list of ['packages', 'services', 'functions']) expect((await client.get(`/${list}`)).body).toHaveLength(1);
  expect([...world.journal.since()].filter(({ kind }) => kind === 'defect')).toEqual([]);
});

test('whatever the monitoring manager is sent, the answer keeps its contract', async () => {
  const { fetch, world } = start();
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('vm_up', VC, '1', 1, '1s', [`id='${VC}'`]));
  const keys = ['name', 'start', 'end', 'step', 'labels', 'metric', 'filters'];
  const body = fc.oneof(fc.dictionary(fc.constantFrom(...keys), value), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('prometheus/metrics/data', 'ws/new'), body, async (path, sent) => {
      const headers = { 'Content-Type': 'application/json' };
      const url = `http://onesim/monitoring/api/v1/${path}`;
      const { status } = await fetch(new Request(url, { method: 'POST', headers, body: JSON.stringify(sent) }));
      expect([200, 400]).toContain(status);
    }),
    { seed: 1, numRuns: 500 },
  );
  expect([...world.journal.since()].filter(({ kind }) => kind === 'defect')).toEqual([]);
});

test('whatever stands in the Authorization header, nobody is let in', async () => {
  const { fetch } = start();
  const client = new Client(fetch);
  const header = fc.oneof(
    fc.string({ unit: 'binary-ascii' }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
    fc.string({ unit: 'binary-ascii' }).map((text) => `Bearer ${text.replace(/[^\x21-\x7e]/g, '')}`),
  );
  await fc.assert(
    fc.asyncProperty(header, async (Authorization) => {
      const { status } = await client.send('GET', '/functions', { headers: { Authorization } });
      expect([400, 401]).toContain(status);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('whatever a login says, only the right words let in', async () => {
  const { fetch } = start();
  const client = new Client(fetch);
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ username: fc.constantFrom('sonata', 'demo', ''), password: fc.json() })
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const { status } = await client.send('POST', '/sessions', { body: text });
      expect([400, 401]).toContain(status);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('the longest list of metrics over the longest range is answered in bounded time', async () => {
  const { fetch, world } = start();
  const client = await Client.loggedIn(fetch);
  const metrics = 'vm_up,'.repeat(2000);
  const range = `since=${TODAY / 1000 - 11_000}&until=${TODAY / 1000}&step=1`;
  const before = await client.get(`/functions/${INSTANCE}/vdu01/${VC}/asynch-mon-data?metrics=${metrics}&${range}`);
  expect(before.status).toBe(400);
  const nowhere = 'since=0&until=11000&step=1';
  const { status } = await client.get(
    `/functions/${INSTANCE}/vdu01/${VC}/asynch-mon-data?metrics=${metrics}&${nowhere}`,
  );
  expect(status).toBe(200);
  expect(world.journal.length).toBeLessThan(10);
});
