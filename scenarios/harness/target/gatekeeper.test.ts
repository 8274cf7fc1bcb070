import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StartOptions } from '../../../sim/index.ts';
import { type Between, type Server, serverOf, TARGET, verified } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The present of the data of the world is when its function has been running for a while. */
async function server(options?: StartOptions, between?: Between): Promise<Server> {
  const made = await serverOf({ epoch: Date.UTC(2026, 10, 22), ...options }, between);
  servers.push(made);
  return made;
}

const ARGS = ['--api', 'gatekeeper'];

describe.each(['upstream', 'contract'] as const)('the Gatekeeper of a stand-in in profile %s', (profile) => {
  test('keeps its contract, and its departures are seen', async () => {
    const { code, out } = await verified(await server({ profile }), ARGS);
    expect(code, out.join('\n')).toBe(0);
    expect(out.at(-1)).toContain(`✓ gatekeeper, profile ${profile}: nothing broken`);
  });
});

test('a departure that is not shown any more is stale', async () => {
  const target = await server({ deviations: { 'dead-token-403': false } });
  const { code, out } = await verified(target, [...ARGS, '--profile', 'upstream']);
  expect(code).toBe(1);
  expect(out.join('\n')).toContain('✗ dead-token-403: stale: the server keeps the contract here');
});

test.each<[string, string, (answer: Response) => Response]>([
  ['a list that is none', '/api/v2/functions', () => Response.json({})],
  ['history that is refused', 'asynch-mon-data', () => Response.json({ error: { code: 500 } }, { status: 500 })],
  ['an open door', '/api/v2/services', () => new Response('', { status: 302 })],
])('a proxy that gives %s is caught', async (_, part, change) => {
  const between: Between = async (request, door) => {
    const answer = await door(request);
    return request.url.includes(part) ? change(answer) : answer;
  };
  const { code } = await verified(await server({}, between), [...ARGS, '--profile', 'upstream']);
  expect(code).toBe(1);
});

test('both APIs have a verdict each', async () => {
  const { code, out } = await verified(await server(), ['--api', 'all']);
  expect(code, out.join('\n')).toBe(0);
  expect(out.filter((line) => /^[✓✗]/.test(line)).map((line) => line.split(',')[0])).toEqual([
    '✓ engine',
    '✓ gatekeeper',
  ]);
});

test.each<[string, Between, string]>([
  [
    'no Gatekeeper',
    async () => new Response('', { status: 404 }),
    '--target: there is no Gatekeeper: POST /api/v2/sessions was answered with 404',
  ],
  [
    'strangers',
    async () => new Response('', { status: 401 }),
    '--gatekeeper-auth: the Gatekeeper does not let sonata in',
  ],
  [
    'nobody',
    async () => {
      throw new TypeError('fetch failed', { cause: new Error('other side closed') });
    },
    `--target: ${TARGET} does not answer: other side closed`,
  ],
])('%s: said as it is', async (_, between, problem) => {
  await expect(verified(await server({}, between), ARGS)).rejects.toThrow(problem);
});
