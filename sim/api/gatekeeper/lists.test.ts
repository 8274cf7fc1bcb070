/** Every list has pages of the same kind: which elements are on them, and what the headers say of the others. */
import { beforeAll, describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { Client, numbered, refusal, TODAY, userGuide } from './testing.ts';

const contracts = await loadContracts();

const LISTS = [
  '/functions',
  '/services',
  '/packages',
  '/records/functions',
  '/records/services',
  '/requests',
  '/licences',
  '/users',
] as const;

let client: Client;

/** Of everything 25. */
beforeAll(async () => {
  const many = Array.from({ length: 25 }, (_, n) => numbered(n));
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => ({
      ...userGuide(cloud),
      users: many.map((_, n) => ({ username: `u${n}`, password: 'x', types: ['admin'] })),
      functions: many,
      services: many,
      packages: many,
      instances: many.map(({ uuid }) => ({
        uuid,
        functionUuid: uuid,
        createdAt: TODAY,
        vdus: [{ id: 'vdu01', vnfcs: [] }],
      })),
      serviceInstances: many.map(({ uuid }) => ({
        uuid,
        serviceUuid: uuid,
        createdAt: TODAY,
        functionInstances: [uuid],
      })),
    }),
  });
  client = await Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations), 'u0', 'x');
  const headers = { Authorization: `bearer ${client.token}` };
  for (const { uuid } of many) {
    const body = JSON.stringify({ service_uuid: uuid });
    for (const path of ['/licences', '/requests']) await client.send('POST', path, { headers, body });
  }
});

const HOST = 'http://gatekeeper.example:1337';

const links = (url: string, limit: string, rels: string): string =>
  rels
    .split(', ')
    .map((each) => each.split(' '))
    .map(([rel, offset]) => `<${url}?offset=${offset}&limit=${limit}>; rel="${rel}"`)
    .join(',');

describe.each(LISTS)('%s', (path) => {
  test.each([
    ['', 'next 1, first 0, last 2', '10', 0, 10],
    ['?limit=10&offset=0', 'next 1, first 0, last 2', '10', 0, 10],
    ['?limit=10&offset=1', 'prev 0, next 2, first 0, last 2', '10', 10, 10],
    ['?limit=10&offset=2', 'prev 1, first 0, last 2', '10', 20, 5],
    ['?limit=10&offset=3', 'prev 2, first 0, last 2', '10', 25, 0],
    ['?limit=25', 'first 0, last 0', '25', 0, 25],
    ['?limit=24', 'next 1, first 0, last 1', '24', 0, 24],
    ['?limit=1000000', 'first 0, last 0', '1000000', 0, 25],
    ['?limit=1000000&offset=1', 'first 0, last 0', '1000000', 25, 0],
    ['?offset=x', 'next 1, first 0, last 2', '10', 0, 10],
    ['?offset=1&offset=2', 'prev 1, first 0, last 2', '10', 20, 5],
  ])('%s: %s', async (query, rels, limit, from, length) => {
    const whole = (await client.get(`${path}?limit=25`)).body as unknown[];
    const { status, body, headers } = await client.get(`/api/v2${path}/${query}`);
    expect({ status, body }).toEqual({ status: 200, body: whole.slice(from, from + length) });
    expect(headers.get('Record-Count')).toBe('25');
    expect(headers.get('Link')).toBe(links(`${HOST}/api/v2${path}/`, limit, rels));
  });

  test.each([
    ['limit=0', 'limit must be 1 or more'],
    ['limit=-10', 'limit must be 1 or more'],
    ['limit=ten', 'limit must be 1 or more'],
    ['limit=', 'limit must be 1 or more'],
    ['offset=-1', 'offset must not be negative'],
    [`offset=-${'9'.repeat(1000)}`, 'offset must not be negative'],
  ])('%s is refused', async (query, message) => {
    expect(await client.get(`${path}?${query}`)).toMatchObject(refusal(400, message));
  });
});

test.each(['/records/functions', '/records/services'])('%s has no filters', async (path) => {
  for (const query of ['status=terminated', 'page=2', 'x=y']) {
    expect((await client.get(`${path}?${query}`)).body).toEqual((await client.get(path)).body);
  }
});
