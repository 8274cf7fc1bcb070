/** What the recordings do not show: waits, time-outs, limits, and requests that overlap. */
import { describe, expect, it } from 'vitest';
import { basic, client, FAAS, inRuntime, LATE, lateClient, resized } from './testing.ts';

describe('the server', () => {
  it('shows its configuration', async () => {
    expect((await client().request('GET', '/server/config')).text).toBe(
      '{"one_xmlrpc":"http://localhost:2633/RPC2","oneflow_server":"http://localhost:2474","host":"127.0.0.1","port":1337,' +
        '"timeout":30,"capacity":{"disk":{"default":1024},"cpu":{"default":2,"mult":2},' +
        '"memory":{"default":1024,"mult":2,"resize_mode":"BALLOONING"}},"log":{"level":2,"system":"file"}}',
    );
  });

  it('shows the schema that it checks with', async () => {
    const { text } = await client().request('GET', '/serverless-runtimes/schema');
    const schema = JSON.parse(text).properties.SERVERLESS_RUNTIME;
    expect(Object.keys(schema.properties)).toEqual([
      'NAME',
      'ID',
      'SERVICE_ID',
      'FAAS',
      'DAAS',
      'SCHEDULING',
      'DEVICE_INFO',
    ]);
    expect(schema.required).toEqual(['FAAS']);
  });

  it('refuses a body that is too large', async () => {
    const small = client(undefined, 30, 10);
    const { status, text } = await small.request('POST', '/serverless-runtimes', inRuntime(FAAS));
    expect([status, text]).toEqual([
      413,
      '{"error":"Payload Too Large","message":"The body is larger than 10 bytes."}',
    ]);
  });

  it('puts the credentials of the creator into the context of the VM', async () => {
    const at = client();
    const { vm } = await at.runtime();
    expect(Buffer.from(at.cloud.vms.get(vm).context?.get('SR_AUTH') ?? '', 'base64').toString()).toBe(
      'tester:testerpass',
    );
  });

  it('takes the name as the password of OneFlow when there is none', async () => {
    const { status, text } = await client().request('POST', '/serverless-runtimes', inRuntime(FAAS), basic('tester'));
    expect([status, text]).toEqual([
      401,
      '{"error":"Failed to get list of service templates","message":"Invalid credentials"}',
    ]);
  });
});

describe('a number beyond all bounds', () => {
  const HUGE = '9'.repeat(400);
  const huge = (key: string): string => inRuntime(FAAS.replace(new RegExp(`(?<="${key}":)\\d+`), HUGE));

  it.each([
    ['CPU', 500],
    ['MEMORY', 500],
    // To oned the template then has no size, so the disk has the image's.
    ['DISK_SIZE', 201],
  ])('%s in a creation gets an answer', async (key, status) => {
    expect((await client().request('POST', '/serverless-runtimes', huge(key))).status).toBe(status);
  });

  it.each(['CPU', 'MEMORY', 'DISK_SIZE'])('%s in an update is refused', async (key) => {
    const at = client();
    const { path } = await at.runtime();
    await at.settle();
    const { status, text } = await at.request('PUT', path, huge(key));
    expect([status, JSON.parse(text).error]).toEqual([
      500,
      `Failed to resize Serverless Runtime Function VM ${key === 'DISK_SIZE' ? 'disk' : 'capacity'}`,
    ]);
    expect((await at.request('GET', path)).text).toContain('"CPU":2,"MEMORY":128,"DISK_SIZE":1024');
  });
});

describe('OneFlow', () => {
  it('crashes over a service that others have broken, and the engine quotes its answer', async () => {
    const at = client();
    const session = 'tester:testerpass';
    const broken = at.cloud.call(session, 'one.document.allocate', '<TEMPLATE><BODY>null</BODY></TEMPLATE>', 100);
    const body = `{"FAAS":{"FLAVOUR":"Function"},"SERVICE_ID":${broken}}`;
    const id = at.cloud.call(session, 'one.document.allocate', `<TEMPLATE><BODY>${body}</BODY></TEMPLATE>`, 1337);
    const { status, text } = await at.request('GET', `/serverless-runtimes/${id}`);
    expect([status, text]).toEqual([
      500,
      `{"error":"Failed to read Serverless Runtime Service ${broken}",` +
        `"message":"{\\"message\\":\\"Internal server error\\",\\"reason\\":\\"undefined method \`[]' for nil:NilClass\\"}"}`,
    ]);
  });
});

describe('the web framework', () => {
  const answered = async (method: string, path: string, type = '', body?: string): Promise<[number, string]> => {
    const answer = await client().ask(method, path, new Headers({ 'Content-Type': type }), body);
    return [answer.status, await answer.text()];
  };
  const FORM = 'application/x-www-form-urlencoded; charset=utf-8';
  const INVALID = 'Invalid query parameters: invalid %-encoding (50%)';

  it.each([
    ['GET', '/server/version?a=50%'],
    ['GET', '/nope?a=1;50%=2'],
    ['DELETE', '/serverless-runtimes/1?50%'],
    ['POST', '/serverless-runtimes?a=50%&b=1'],
  ])('refuses a query string that it cannot decode, whatever the route: %s %s', async (method, path) => {
    expect(await answered(method, path)).toEqual([400, INVALID]);
  });

  it.each(['POST', 'PUT', 'DELETE'])('refuses a form that it cannot decode in %s', async (method) => {
    for (const path of ['/serverless-runtimes/1', '/nope']) {
      expect(await answered(method, path, FORM, 'a=1&b=50%')).toEqual([400, INVALID]);
    }
  });

  it('lets pass what it can decode', async () => {
    expect((await answered('GET', '/server/version?a=b=%2f&%41;=+'))[0]).toBe(200);
    expect((await answered('POST', '/serverless-runtimes', FORM, '{"a":"%20"}'))[0]).toBe(401);
    expect((await answered('DELETE', '/serverless-runtimes/1', 'text/plain', '50%'))[0]).toBe(401);
  });

  it('reads no more of a form than of another body', async () => {
    const small = client(undefined, 30, 10);
    const form = new Headers({ 'Content-Type': FORM });
    expect((await small.ask('DELETE', '/serverless-runtimes/1', form, 'a=1&b=2&c=3')).status).toBe(413);
  });
});

describe('waiting', () => {
  it('looks at a resize once a second', async () => {
    const at = client();
    const { path } = await at.runtime();
    await at.settle();
    at.arm('resize', { do: 'delay', ms: 7_400 });
    // 7.4 s, and the half second that a driver needs.
    const { status, tookMs } = await at.request('PUT', path, resized(3));
    expect(status).toBe(200);
    expect(tookMs).toBeGreaterThanOrEqual(8_000);
    expect(tookMs).toBeLessThan(8_200);
  });

  it('gives a resize up at the 30th look', async () => {
    const at = client();
    const { path } = await at.runtime();
    await at.settle();
    at.arm('resize', { do: 'stick' });
    const { status, tookMs } = await at.request('PUT', path, resized(3));
    expect(status).toBe(500);
    expect(tookMs).toBeGreaterThanOrEqual(29_000);
    expect(tookMs).toBeLessThan(29_200);
  });

  it('gives VMs up that do not appear, at the 30th look', async () => {
    const at = lateClient();
    const { status, text, tookMs } = await at.request('POST', '/serverless-runtimes', LATE);
    expect(status).toBe(504);
    expect(JSON.parse(text).error).toMatch(/^OpenNebula did not create VMs for the Serverless Runtime Service \d+$/);
    expect(JSON.parse(text).message).toContainEqual({
      timestamp: expect.any(Number),
      severity: 'I',
      message: 'New state: DEPLOYING',
    });
    expect(tookMs).toBeGreaterThanOrEqual(29_000);
    expect(tookMs).toBeLessThan(29_200);
  });

  it('waits for VMs that appear in time', async () => {
    const at = lateClient();
    at.cloud.judge.disarmAll();
    const { status, text, tookMs } = await at.request('POST', '/serverless-runtimes', LATE);
    expect(status).toBe(201);
    expect(JSON.parse(text).SERVERLESS_RUNTIME.FAAS.STATE).toBe('RUNNING');
    expect(tookMs).toBeGreaterThanOrEqual(2_000);
  });

  it('asks a second time, a second later, for the end of a service', async () => {
    const at = client();
    at.arm('deploy', { do: 'delay', ms: 600_000 });
    const { path } = await at.runtime();
    await at.cloud.clock.advance(10_000);
    const { status, tookMs } = await at.request('DELETE', path);
    expect(status).toBe(204);
    expect(tookMs).toBeGreaterThanOrEqual(1_000);
    expect(tookMs).toBeLessThan(1_200);
  });
});

describe('requests that overlap', () => {
  it('lets the first of two deletions win: the second has read the document before it goes', async () => {
    const at = client();
    const { path } = await at.runtime();
    await at.settle();
    const [first, second] = await Promise.all([at.request('DELETE', path), at.request('DELETE', path)]);
    expect(first.status).toBe(204);
    expect(second.status).toBe(500);
    expect(second.text).toContain('Failed to delete Serverless Runtime Document');
  });

  it('makes two runtimes of one name', async () => {
    const at = client();
    const body = inRuntime(`${FAAS},"NAME":"twin"`);
    const [one, two] = await Promise.all([at.runtime(body), at.runtime(body)]);
    expect(one.path).not.toBe(two.path);
  });

  it('refuses an update while another one is resizing', async () => {
    const at = client();
    const { path, vm } = await at.runtime();
    await at.settle();
    at.arm('resize', { do: 'delay', ms: 5_000 });
    const first = at.request('PUT', path, resized(3));
    await at.until(() => at.state(vm) === 'HOTPLUG_RESIZE');
    expect((await at.request('PUT', path, resized(4))).status).toBe(423);
    expect((await first).text).toContain('"CPU":3');
  });
});
