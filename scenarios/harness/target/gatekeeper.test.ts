import { describe, expect, test, vi } from 'vitest';
import type { StartOptions } from '../../../sim/index.ts';
import { runFiles } from '../run-files.ts';
import type { Ear } from '../watching/stream-door.ts';
import type { Outside } from './outside.ts';
import { type Between, type Server, serverOf, TARGET, verified } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

/** The present of the data of the world is when its function has been running for a while. */
const server = (options?: StartOptions, between?: Between): Promise<Server> =>
  serverOf({ epoch: Date.UTC(2026, 10, 22), ...options }, between);

const ARGS = ['--api', 'gatekeeper', '--runs', '1'];

describe.each(['upstream', 'contract'] as const)('the Gatekeeper of a stand-in in profile %s', (profile) => {
  test('keeps its contract, and its departures are seen', async () => {
    const { code, out } = await verified(await server({ profile }), [...ARGS, '--runs', '3']);
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

test('what fails is shown again by what was saved of it, and by who asked', async () => {
  const between: Between = async (request, door) => {
    const answer = await door(request);
    return request.url.includes('asynch-mon-data') ? Response.json({ error: {} }, { status: 500 }) : answer;
  };
  const ran = await verified(await server({}, between), [...ARGS, '--profile', 'upstream']);
  const lines = new Set(ran.out.filter((line) => line.includes(' replay ')).map((line) => line.trim()));
  const [file] = ran.saved.keys();
  const again = `replay    onesim run ${file} --target ${TARGET} --gatekeeper-auth sonata:PASSWORD`;
  expect([...lines][0]).toMatch(new RegExp(`^${again}( --gatekeeper-other-auth demo:PASSWORD)?$`));
  const out: string[] = [];
  const machine = {
    out: (line: string) => void out.push(line),
    readFile: async (name: string) => ran.saved.get(name) ?? '',
    stopped: () => new Promise<void>(() => {}),
  };
  const { outside } = await server({}, between);
  const args = [
    `${file}`,
    '--target',
    TARGET,
    '--gatekeeper-auth',
    'sonata:1234',
    '--gatekeeper-other-auth',
    'demo:demo',
  ];
  expect(await runFiles([...args, '--rate', '1000'], machine, outside)).toBe(1);
  const laws = (told: readonly string[]) => told.flatMap((line) => /✗ ([A-Z]\d+): /.exec(line)?.[1] ?? []);
  expect(laws(ran.out)).toEqual(expect.arrayContaining(laws(out)));
});

/** Answers of a path, changed as a text; streams, frame by frame. */
const rewriting =
  (part: RegExp, change: (body: string) => string, headers: Readonly<Record<string, string>> = {}): Between =>
  async (request, door) => {
    const answer = await door(request);
    if (answer.status !== 200 || !part.test(request.url)) return answer;
    const given = new Headers(answer.headers);
    for (const [name, value] of Object.entries(headers)) given.set(name, value);
    return new Response(change(await answer.text()), { status: answer.status, headers: given });
  };

const skewed = (text: string): string =>
  text.replaceAll(/\[(\d{10}),"([\d.]+)"\]/g, (_, at, value) => `[${Number(at) + 1},"-${value}"]`);

/** One broken proxy behind the other. */
const chained =
  (...all: readonly Between[]): Between =>
  (request, door) =>
    all.reduce<typeof door>((behind, between) => (asked) => between(asked, behind), door)(request);

test.each<[string, readonly string[], Between]>([
  [
    'lists otherwise, and no links',
    ['P1', 'P2', 'P3', 'T8'],
    chained(
      (request, door) => door(new Request(request.url.replace('offset=1&', 'offset=0&'), request)),
      rewriting(/limit=1&/, (body) => body, { 'Record-Count': '7', Link: '' }),
      rewriting(/\/metrics$/, (body) => `${body}${body}`),
    ),
  ],
  [
    'the past otherwise',
    ['T1', 'T2', 'T3', 'T4', 'T5', 'T6'],
    chained(
      rewriting(/asynch-mon-data.*step=14(&|$)/, skewed),
      rewriting(/asynch-mon-data.*step=(3|45)(&|$)/, (body) => body.replaceAll(/(\[\d{10}),"[\d.]+"\]/g, '$1,"50"]')),
      rewriting(/asynch-mon-data.*step=(1|15)(&|$)/, (body) => body.replaceAll(/\[\d{10},"[\d.]+"\],/g, '')),
    ),
  ],
])('a proxy that gives %s is caught by %s', async (_, wanted, between) => {
  const { code, out } = await verified(await server({}, between), [...ARGS, '--profile', 'upstream']);
  expect(code).toBe(1);
  const said = out.join('\n');
  expect(
    wanted.filter((law) => !said.includes(`✗ ${law}: `)),
    said,
  ).toEqual([]);
});

test('a proxy that keeps logouts to itself is caught by A8, where something may be changed', async () => {
  const between: Between = async (request, door) =>
    request.method === 'DELETE' && request.headers.get('Authorization')?.includes('eyJ')
      ? new Response(null, { status: 204, headers: { 'X-Content-Type-Options': 'nosniff' } })
      : door(request);
  const args = [...ARGS, '--profile', 'upstream', '--level'];
  expect((await verified(await server({}, between), [...args, 'read'])).code).toBe(0);
  const { code, out } = await verified(await server({}, between), [...args, 'crud']);
  expect(code).toBe(1);
  expect(out.join('\n')).toContain('✗ A8: ');
});

test('streams that say something else, and go on for two, are caught', async () => {
  const target = await server();
  const { connect } = target.outside;
  const ears = new Set<Ear>();
  const outside: Outside = {
    ...target.outside,
    connect: (address, ear) => {
      ears.add(ear);
      const frame = (text: string): void => {
        if (text.includes('NOT found')) ear.frame('{"Status":"Socket Opened"}');
        else if (text.includes('"time"')) for (const each of ears) each.frame(text.replaceAll('vdu01', 'vdu02'));
        else ear.frame(text.toLowerCase());
      };
      return connect?.(address, { ...ear, frame }) ?? Promise.reject(new Error('no streams'));
    },
  };
  const { code, out } = await verified({ outside }, [...ARGS, '--profile', 'upstream']);
  expect(code).toBe(1);
  const said = out.join('\n');
  expect(
    ['W1', 'W2', 'W3', 'W5'].filter((law) => !new RegExp(`(✗ ${law}: |also +${law} )`).test(said)),
    said,
  ).toEqual([]);
});

test('one that limits how often it is asked is asked more slowly', async () => {
  const target = await server({ gatekeeperRateLimits: 'on' });
  const { code, out } = await verified(target, [...ARGS, '--profile', 'upstream', '--rate', '1']);
  expect(code, out.join('\n')).toBe(0);
  expect(out.join('\n')).toMatch(/the server asked \d+ times to come again later, and we did/);
});

test('what cannot be told there is said, with the reason', async () => {
  const nothing = rewriting(/\/records\/functions/, () => '[]', { 'Record-Count': '0' });
  const between: Between = (request, door) =>
    new URL(request.url).pathname === '/metrics'
      ? Promise.resolve(new Response('', { status: 404 }))
      : nothing(request, door);
  const { code, out } = await verified(await server({}, between), ARGS);
  expect(code, out.join('\n')).toBe(0);
  expect(out.filter((line) => /^ {2}unobserved: /.test(line))).toEqual([
    '  unobserved: no function runs there: T1, T2, T3, T4, T5, T6, W1, W2, W3, W4, W5',
    '  unobserved: when a machine has begun and ended to run, only the journal tells: T7',
    '  unobserved: there is no exposition beside the API: T8, T9',
  ]);
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
