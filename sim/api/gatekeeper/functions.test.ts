import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import type { Json } from '../../one/flow/json.ts';
import { createSimulator, PROFILES, type SimulatorConfig } from '../../simulator.ts';
import type { CatalogueElement } from './furnishing.ts';
import { Client, FUNCTION, numbered, refusal, TODAY, userGuide } from './testing.ts';

const contracts = await loadContracts();

/** A client of user demo, before a catalogue with these functions. */
function given(functions: readonly CatalogueElement[], more: Partial<SimulatorConfig> = {}): Promise<Client> {
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => ({ ...userGuide(cloud), functions }),
    ...more,
  });
  return Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations), 'demo', 'demo');
}

const many = (count: number): CatalogueElement[] => Array.from({ length: count }, (_, n) => numbered(n));

const uuidsOf = (body: unknown): string[] => (body as { uuid: string }[]).map(({ uuid }) => uuid);

const descriptor = (more: object) => ({ vendor: 'v', name: 'n', version: '1', descriptor_version: 'd', ...more });

describe('the list', () => {
  test('is a page of ten from the first, in order of insertion', async () => {
    const client = await given(many(12));
    const { status, body, headers } = await client.get('/functions');
    expect(status).toBe(200);
    expect(uuidsOf(body)).toEqual(many(10).map(({ uuid }) => uuid));
    expect(headers.get('Record-Count')).toBe('12');
    expect(headers.get('Content-Type')).toBe('application/json');
  });

  test.each([
    [0, 'next 1, first 0, last 2'],
    [1, 'prev 0, next 2, first 0, last 2'],
    [2, 'prev 1, first 0, last 2'],
    [3, 'prev 2, first 0, last 2'],
  ])('links page %i of 25 functions to %s', async (offset, links) => {
    const client = await given(many(25));
    const { headers, body } = await client.get(`/api/v2/functions?offset=${offset}&limit=10&status=active`);
    const expected = links.split(', ').map((link) => {
      const [rel, to] = link.split(' ');
      return `<http://gatekeeper.example:1337/api/v2/functions?offset=${to}&limit=10>; rel="${rel}"`;
    });
    expect(headers.get('Link')).toBe(expected.join(','));
    expect(headers.get('Record-Count')).toBe('25');
    expect(uuidsOf(body)).toHaveLength([10, 10, 5, 0][offset] ?? -1);
  });

  test('that fits on one page has no page before another', async () => {
    const { headers, body } = await (await given(many(3))).get('/functions?offset=2');
    expect(body).toEqual([]);
    expect(headers.get('Link')).not.toContain('prev');
  });

  test('of nothing is empty, with links to the page that there is', async () => {
    const client = await given([]);
    const { status, headers, body } = await client.get('/functions/');
    const url = 'http://gatekeeper.example:1337/functions/';
    expect({ status, body }).toEqual({ status: 200, body: [] });
    expect(headers.get('Record-Count')).toBe('0');
    expect(headers.get('Link')).toBe(`<${url}?offset=0&limit=10>; rel="first",<${url}?offset=0&limit=10>; rel="last"`);
  });

  test.each([
    ['offset=x', '0&limit=10'],
    ['offset=', '0&limit=10'],
    ['offset=2x&limit=3 ', '2&limit=3'],
    ['offset=%2B1&limit=0007', '1&limit=7'],
    ['offset=1_0&limit=2', '10&limit=2'],
    ['limit=1_000', '0&limit=1000'],
    ['offset=1__0&limit=1', '1&limit=1'],
    ['limit=99999999999999999999999999', '0&limit=99999999999999999999999999'],
    ['offset=99999999999999999999999&limit=1', '99999999999999999999999&limit=1'],
  ])('reads the numbers in %s as Ruby does', async (query, read) => {
    const client = await given(many(25));
    const { status, headers } = await client.get(`/functions?${query}`);
    const [offset = '', limit = ''] = read.split('&limit=');
    expect(status).toBe(200);
    expect(headers.get('Link')).toContain(`?offset=0&limit=${limit}>; rel="first"`);
    if (offset !== '0') expect(headers.get('Link')).toContain(`?offset=${BigInt(offset) - 1n}&limit=${limit}>; rel="p`);
  });

  test.each([
    ['limit=0', 'limit must be 1 or more'],
    ['limit=-3', 'limit must be 1 or more'],
    ['limit=x', 'limit must be 1 or more'],
    ['limit=', 'limit must be 1 or more'],
    ['offset=-1', 'offset must not be negative'],
  ])('refuses %s', async (query, message) => {
    expect(await (await given(many(2))).get(`/functions?${query}`)).toMatchObject(refusal(400, message));
  });

  test('caps pages at 100 in profile contract only', async () => {
    const contract = await given(many(101), { deviations: PROFILES.contract });
    expect(await contract.get('/functions?limit=101')).toMatchObject(refusal(400, 'limit must be 100 or less'));
    expect((await contract.get('/functions?limit=100')).status).toBe(200);
    expect(uuidsOf((await (await given(many(101))).get('/functions?limit=101')).body)).toHaveLength(101);
  });
});

describe('pages', () => {
  const aList = fc.record({ count: fc.nat(40), limit: fc.integer({ min: 1, max: 15 }) });

  test('partition the list, in stable order, with a constant total (P1, P2)', async () => {
    await fc.assert(
      fc.asyncProperty(aList, async ({ count, limit }) => {
        const client = await given(many(count));
        const seen: string[] = [];
        let next: string | undefined = `/functions?limit=${limit}`;
        while (next !== undefined) {
          const { body, headers } = await client.get(next);
          seen.push(...uuidsOf(body));
          expect(headers.get('Record-Count')).toBe(`${count}`);
          next = /<http:\/\/[^/]+([^>]+)>; rel="next"/.exec(headers.get('Link') ?? '')?.[1];
        }
        expect(seen).toEqual(many(count).map(({ uuid }) => uuid));
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  test('are linked so that prev undoes next, and last is the last that is not empty (P3)', async () => {
    await fc.assert(
      fc.asyncProperty(aList, fc.nat(50), async ({ count, limit }, offset) => {
        const client = await given(many(count));
        const at = async (page: number) => {
          const { body, headers } = await client.get(`/functions?offset=${page}&limit=${limit}`);
          const link = headers.get('Link') ?? '';
          const rel = (name: string) => /offset=(\d+)/.exec(link.split(',').find((l) => l.includes(name)) ?? '')?.[1];
          return { length: uuidsOf(body).length, next: rel('next'), prev: rel('prev'), last: Number(rel('last')) };
        };
        const { next, last, length } = await at(offset);
        expect(next !== undefined).toBe(offset < last);
        if (next !== undefined) expect((await at(Number(next))).prev).toBe(`${offset}`);
        if (count > 0) expect((await at(last)).length).toBeGreaterThan(0);
        // P4: past the end there is nothing.
        expect((await at(last + 1)).length).toBe(0);
        if (offset > last) expect(length).toBe(0);
      }),
      { seed: 1, numRuns: 30 },
    );
  });
});

describe('filters', () => {
  const functions = [
    numbered(0, { descriptor: descriptor({ vendor: 'a', name: 'x', version: '0.9', vcpus: 1 }) }),
    numbered(1, { descriptor: descriptor({ vendor: 'a', name: 'x', version: '0.10', tags: ['one', 'two'] }) }),
    numbered(2, {
      status: 'inactive',
      descriptor: descriptor({ vendor: 'b', name: 'x', virtual_deployment_units: [{ id: 'vdu01' }, { id: 'vdu02' }] }),
    }),
    numbered(3, {
      username: null,
      descriptor: descriptor({
        vendor: 'b',
        name: 'y',
        deep: { er: ['Z'] },
        dhcp: true,
        nested: [[{ a: 'x' }, 'z'], 'y'],
      }),
    }),
  ];

  test.each([
    ['status=active', [0, 1, 3]],
    ['status=Active', []],
    ['status=inactive&vendor=b', [2]],
    [`uuid=${numbered(3).uuid}`, [3]],
    [`_id=${numbered(1).uuid}`, [1]],
    [`md5=${numbered(2).md5}`, [2]],
    ['created_at=2017-08-28T15:23:31.001%2B00:00', [1]],
    ['updated_at=2017-08-28T15:23:31.002%2B00:00', [2]],
    ['signature=', []],
    ['username=demo', [0, 1, 2]],
    ['name=x', [0, 1, 2]],
    ['name=X', []],
    ['vendor=a&name=x&version=0.10', [1]],
    ['vendor=a&name=x&version=7', []],
    ['virtual_deployment_units.id=vdu02', [2]],
    ['virtual_deployment_units.1.id=vdu02', [2]],
    ['virtual_deployment_units.0.id=vdu02', []],
    ['tags=two', [1]],
    ['deep.er=Z', [3]],
    ['deep.er.too=Z', []],
    ['vcpus=1', []],
    ['dhcp=true', []],
    ['deep=Z', []],
    ['nested=y', [3]],
    ['nested=z', []],
    ['nested.1=y', [3]],
    ['nested.0=z', [3]],
    ['nested.a=x', []],
    ['nested.0.a=x', [3]],
    ['nested.0.0.a=x', [3]],
    ['nested.01=y', []],
    ['=x', []],
    ['vendor.=a', []],
    ['unknown=x', []],
    ['constructor=x', []],
    ['__proto__=x', []],
    ['name=y&name=x', [0, 1, 2]],
    ['version=last', [0, 2, 3]],
    ['version=last&status=inactive', [2]],
  ])('%s finds %j', async (query, expected) => {
    const client = await given(functions);
    const { status, body, headers } = await client.get(`/functions?${query}`);
    expect(status).toBe(200);
    expect(uuidsOf(body)).toEqual(expected.map((n) => numbered(n).uuid));
    expect(headers.get('Record-Count')).toBe(`${expected.length}`);
  });

  test('are found in bounded time, however many ways lead through a descriptor', async () => {
    const nest = (depth: number): Json => (depth === 0 ? 'x' : [nest(depth - 1)]);
    const named = (depth: number): Json => (depth === 0 ? 'x' : [{ 0: named(depth - 1) }]);
    const client = await given([numbered(0, { descriptor: descriptor({ nested: nest(49), named: named(24) }) })]);
    for (const length of [12, 24, 49, 4000]) {
      const path = Array.from({ length }, () => '0').join('.');
      for (const key of ['nested', 'named']) expect((await client.get(`/functions?${key}.${path}=y`)).body).toEqual([]);
    }
    expect((await client.get(`/functions?nested${'.0'.repeat(49)}=x`)).body).toHaveLength(1);
  });

  test.each([
    ['0.9', '0.10'],
    ['9.0', '10.0'],
  ])('version=last compares versions as text: %s is newer than %s', async (newer, older) => {
    const versions = [older, newer].map((version, n) => numbered(n, { descriptor: descriptor({ version }) }));
    expect(uuidsOf((await (await given(versions)).get('/functions?version=last')).body)).toEqual([numbered(1).uuid]);
    const reversed = [newer, older].map((version, n) => numbered(n, { descriptor: descriptor({ version }) }));
    expect(uuidsOf((await (await given(reversed)).get('/functions?version=last')).body)).toEqual([numbered(0).uuid]);
  });

  test('version=last counts what is on the page', async () => {
    const { headers } = await (await given(functions)).get('/functions?version=last&limit=2');
    expect(headers.get('Record-Count')).toBe('2');
  });

  test.each([
    ['uuid,name', { uuid: numbered(2).uuid }],
    ['uuid,vnfd,name', { uuid: numbered(2).uuid, vnfd: { name: 'x' } }],
    ['vnfd,virtual_deployment_units,id', { vnfd: { virtual_deployment_units: [{ id: 'vdu01' }, { id: 'vdu02' }] } }],
    ['user_licence', { user_licence: 'public' }],
    ['nothing,__proto__', {}],
  ])('fields=%s keeps only these, at every level', async (fields, expected) => {
    const { body } = await (await given(functions)).get(`/functions?fields=${fields}&status=inactive`);
    expect(body).toEqual([expected]);
  });
});

describe('licences', () => {
  const secret = (n: number, owner: string, key: string) =>
    numbered(n, {
      username: owner,
      descriptor: descriptor({
        [key]: [{ type: 'private', url: 'http://example' }],
        connection_points: [{}],
        virtual_links: [{}],
        monitoring_rules: [{}],
        virtual_deployment_units: [{ id: 'a' }],
      }),
    });
  const functions = [
    numbered(0, { descriptor: descriptor({ licenses: [{ type: 'public' }] }) }),
    secret(1, 'demo', 'licenses'),
    secret(2, 'sonata', 'licences'),
    secret(3, 'sonata', 'licenses'),
    numbered(4, { descriptor: descriptor({ licences: [] }) }),
    // The first entry says it all.
    numbered(5, {
      username: 'sonata',
      descriptor: descriptor({ licenses: [{ type: 'public' }, { type: 'private' }] }),
    }),
    numbered(6, {
      username: 'sonata',
      descriptor: descriptor({ licenses: [{ type: 'private' }, { type: 'public' }] }),
    }),
  ];

  test('are told in the list, and what is to be bought is stripped', async () => {
    const { body } = await (await given(functions)).get('/functions');
    const listed = body as { user_licence: string; vnfd: object }[];
    expect(listed.map((one) => one.user_licence)).toEqual([
      'public',
      'owned',
      'to buy',
      'to buy',
      'public',
      'public',
      'to buy',
    ]);
    expect(Object.keys(listed[1]?.vnfd ?? {})).toContain('virtual_deployment_units');
    expect(Object.keys(listed[2]?.vnfd ?? {}).sort()).toEqual([
      'descriptor_version',
      'licences',
      'name',
      'vendor',
      'version',
    ]);
  });

  test('decide about a single function, which never shows them', async () => {
    const client = await given(functions);
    for (const n of [0, 1, 4, 5]) {
      const { status, body } = await client.get(`/functions/${numbered(n).uuid}`);
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('user_licence');
    }
    const { uuid } = numbered(2);
    const message = `Package/service/function ${uuid} is private, not owned and not licensed to user demo`;
    expect(await client.get(`/functions/${uuid}`)).toMatchObject(refusal(403, message));
  });
});

describe('a single function', () => {
  test('is given with a count of one and no links; the query string is ignored', async () => {
    const client = await given([numbered(7)]);
    const { status, headers, body } = await client.get(`/functions/${numbered(7).uuid}/?fields=name&limit=-1`);
    expect(status).toBe(200);
    expect(headers.get('Record-Count')).toBe('1');
    expect(headers.get('Link')).toBeNull();
    expect(body).toMatchObject({ uuid: numbered(7).uuid, signature: null, username: 'demo' });
  });

  test.each([
    ['metrics', 'UUID metrics not valid'],
    ['names', 'UUID names not valid'],
    [FUNCTION.toUpperCase(), `UUID ${FUNCTION.toUpperCase()} not valid`],
    ['39cfccd6-9475-1e99-aa88-9a2066ac3976', 'UUID 39cfccd6-9475-1e99-aa88-9a2066ac3976 not valid'],
    ['39cfccd6-9475-4e99-ca88-9a2066ac3976', 'UUID 39cfccd6-9475-4e99-ca88-9a2066ac3976 not valid'],
    ['%zz', 'UUID %zz not valid'],
    ['%E2%82%AC', 'UUID € not valid'],
    ['39cfccd6-9475-4e99-Aa88-9a2066ac3976', 'Function 39cfccd6-9475-4e99-Aa88-9a2066ac3976 not found'],
    [numbered(5).uuid, `Function ${numbered(5).uuid} not found`],
  ])('%s: 404 %s', async (uuid, message) => {
    expect(await (await given([])).get(`/functions/${uuid}`)).toMatchObject(refusal(404, message));
  });
});
