import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import type { CatalogueElement } from './furnishing.ts';
import { Client, numbered, refusal, SERVICE, TODAY, userGuide } from './testing.ts';

const contracts = await loadContracts();

function given(services?: readonly CatalogueElement[]): Promise<Client> {
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => {
      const guide = userGuide(cloud);
      return { ...guide, services: services ?? guide.services };
    },
  });
  return Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations), 'demo', 'demo');
}

const many = (count: number): CatalogueElement[] => Array.from({ length: count }, (_, n) => numbered(n));

/** What is shown to those only who may have it. */
const VALUABLE = [
  'connection_points',
  'forwarding_graphs',
  'virtual_links',
  'service_specific_managers',
  'network_functions',
];

const forSale = (username: string): CatalogueElement =>
  numbered(1, {
    username,
    descriptor: {
      vendor: 'v',
      name: 'n',
      version: '1',
      licences: [{ type: 'private' }],
      ...Object.fromEntries(VALUABLE.map((key) => [key, []])),
      description: 'kept',
    },
  });

describe('services', () => {
  test('are listed as functions are, with their descriptor as nsd', async () => {
    const { status, body, headers } = await (await given()).get('/api/v2/services?nsd.name=x');
    expect({ status, body }).toEqual({ status: 200, body: [] });
    expect(headers.get('Record-Count')).toBe('0');
    const found = await (await given()).get('/services?name=sonata-demo&status=active&limit=10&offset=0');
    expect(found.body).toMatchObject([{ uuid: SERVICE, user_licence: 'public', nsd: { name: 'sonata-demo' } }]);
  });

  test('are counted over all pages, so that the last link says how many pages there are', async () => {
    const { headers, body } = await (await given(many(25))).get('/services?limit=10&offset=1');
    expect(body).toHaveLength(10);
    expect(headers.get('Record-Count')).toBe('25');
    expect(headers.get('Link')).toContain('offset=2&limit=10>; rel="last"');
  });

  test('keep what is of value from those who would have to buy them', async () => {
    const [mine, foreign] = [await given([forSale('demo')]), await given([forSale('sonata')])];
    const [own] = (await mine.get('/services')).body as { user_licence: string; nsd: object }[];
    expect(own).toMatchObject({ user_licence: 'owned' });
    const rest = ['description', 'descriptor_version', 'licences', 'name', 'vendor', 'version'];
    expect(Object.keys(own?.nsd ?? {}).sort()).toEqual([...rest, ...VALUABLE].sort());
    const [seen] = (await foreign.get('/services')).body as { user_licence: string; nsd: object }[];
    expect(seen).toMatchObject({ user_licence: 'to buy' });
    expect(Object.keys(seen?.nsd ?? {}).sort()).toEqual(rest);
    expect((await foreign.get(`/services/${numbered(1).uuid}`)).status).toBe(403);
  });
});

describe('one service', () => {
  test('is given without a licence', async () => {
    const { status, body, headers } = await (await given()).get(`/services/${SERVICE}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ uuid: SERVICE, nsd: { vendor: 'eu.sonata-nfv' } });
    expect(body).not.toHaveProperty('user_licence');
    expect(headers.get('Record-Count')).toBe('1');
  });

  test('is refused for its id before anybody is asked who he is', async () => {
    const client = await given();
    expect(await client.send('GET', '/services/x')).toMatchObject(refusal(404, 'UUID x not valid'));
    expect(await client.send('GET', `/services/${SERVICE}`)).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
    const unknown = SERVICE.replace(/0$/, '1');
    expect(await client.get(`/services/${unknown}`)).toMatchObject(refusal(404, `Service ${unknown} not found`));
  });
});
