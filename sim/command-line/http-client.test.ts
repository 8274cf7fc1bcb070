import { describe, expect, test } from 'vitest';
import { HTTP_USAGE, http } from './http-client.ts';

const HOME = '/home/me';
const FILES = {
  [`${HOME}/.provision_engine_auth`]: 'oneadmin:opennebula\n',
  'sr.json': '{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function"}}}',
  'broken.json': '{"SERVERLESS_RUNTIME":',
};

/** Runs the tool against a server that answers `response`. */
async function use(args: string[], response: Response | Error, files: Readonly<Record<string, string>> = FILES) {
  const out: string[] = [];
  const err: string[] = [];
  const sent: Request[] = [];
  const code = await http(args, {
    home: HOME,
    async readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return text;
    },
    async fetch(url, init) {
      sent.push(new Request(url, init));
      if (response instanceof Error) throw response;
      return response;
    },
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out: out.join('\n'), err: err.join('\n'), sent };
}

const URI = 'http://localhost:1337/serverless-runtimes';

describe('onesim http', () => {
  test('prints the status and the body as Ruby writes JSON', async () => {
    const body = { SERVERLESS_RUNTIME: { NAME: 'n', FAAS: { VM_ID: 1, ENDPOINT: '' }, SCHEDULING: {}, LIST: [1, []] } };
    const { code, out } = await use(['get', `${URI}/1`], Response.json(body, { status: 201 }));
    expect(code).toBe(0);
    expect(out).toBe(`Response Code: 201
{
  "SERVERLESS_RUNTIME": {
    "NAME": "n",
    "FAAS": {
      "VM_ID": 1,
      "ENDPOINT": ""
    },
    "SCHEDULING": {
    },
    "LIST": [
      1,
      [

      ]
    ]
  }
}`);
  });

  test('leaves a float a float, and an integer as long as it is', async () => {
    const { out } = await use(['get', URI], new Response('{"10":5.0,"2":12345678901234567890,"a":1e3}'));
    expect(out).toBe('Response Code: 200\n{\n  "10": 5.0,\n  "2": 12345678901234567890,\n  "a": 1000.0\n}');
  });

  test('sends the file with the credentials of the home directory', async () => {
    const { sent } = await use(['post', URI, 'sr.json'], Response.json({}, { status: 201 }));
    const [request] = sent;
    expect(request?.method).toBe('POST');
    expect(request?.headers.get('authorization')).toBe(`Basic ${btoa('oneadmin:opennebula')}`);
    expect(request?.headers.get('content-type')).toBe('application/json');
    expect(await request?.text()).toBe(FILES['sr.json']);
  });

  test('prints nothing after a 204', async () => {
    const { code, out } = await use(['delete', `${URI}/1`], new Response(null, { status: 204 }));
    expect([code, out]).toEqual([0, 'Response Code: 204']);
  });

  test('prints what is no JSON as it is, and a refusal is no failure of the tool', async () => {
    const { code, out } = await use(['put', `${URI}/1`, 'sr.json'], new Response('<h1>Boom</h1>', { status: 500 }));
    expect([code, out]).toEqual([0, 'Response Code: 500\n<h1>Boom</h1>']);
  });

  test.each([
    [['post', URI, 'none.json'], FILES, 'Cannot read none.json: no such file'],
    [['post', URI, 'broken.json'], FILES, /^broken\.json is not JSON: /],
    [['get', URI], {}, `Cannot read ${HOME}/.provision_engine_auth: no such file`],
    [
      ['get', URI],
      { [`${HOME}/.provision_engine_auth`]: 'nobody' },
      /\.provision_engine_auth does not hold user:password$/,
    ],
  ])('%j without what it needs asks nobody', async (args, files, message) => {
    const { code, out, err, sent } = await use(args, Response.json({}), files);
    expect([code, out, sent.length]).toEqual([1, '', 0]);
    expect(err).toMatch(message);
  });

  test('says that nobody listens', async () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const { code, err } = await use(['get', URI], new TypeError('fetch failed', { cause }));
    expect([code, err]).toEqual([1, `Cannot reach ${URI}: nobody listens there`]);
  });

  test.each([
    [[]],
    [['get']],
    [['fetch', URI]],
    [['toString', URI]],
    [['get', 'localhost']],
    [['get', 'file:///etc/passwd']],
    [['get', URI, 'sr.json']],
    [['post', URI]],
    [['put', URI, 'sr.json', 'more']],
  ])('%j gets the usage', async (args) => {
    const { code, out, err, sent } = await use(args, Response.json({}));
    expect([code, out, err, sent.length]).toEqual([2, '', `Usage: ${HTTP_USAGE}`, 0]);
  });
});
