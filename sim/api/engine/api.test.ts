/** What the recordings do not show: waits, time-outs, limits, and the other side of each deviation. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSimulator, furnishing } from '../../index.ts';
import { createServiceTemplate } from '../../one/flow/service-template.ts';
import { TIMINGS } from '../../one/timing.ts';
import { ENGINE_DEFAULTS } from './config.ts';
import { ENGINE_DEVIATIONS, type EngineDeviation } from './deviations.ts';
import { Playback } from './recorded-playback.ts';

const CONTRACT = new Set<string>();
const upstreamWithout = (id: EngineDeviation) => new Set<string>(ENGINE_DEVIATIONS.filter((other) => other !== id));

const FAAS = '"FAAS":{"FLAVOUR":"Function","CPU":2,"MEMORY":128,"DISK_SIZE":1024}';
const inRuntime = (rest: string): string => `{"SERVERLESS_RUNTIME":{${rest}}}`;
const resized = (cpu: number): string => inRuntime(FAAS.replace('"CPU":2', `"CPU":${cpu}`));

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Simulated milliseconds that the answer took. */
  readonly tookMs: number;
}

/** A client of a world. */
class Client extends Playback {
  async request(method: string, path: string, body?: string, authorization?: string): Promise<Answer> {
    const headers = new Headers({ Authorization: authorization ?? basic('tester:testerpass') });
    const began = this.cloud.clock.now;
    const answer = await this.ask(method, path, headers, body);
    const tookMs = this.cloud.clock.now - began;
    return { status: answer.status, text: await answer.text(), headers: answer.headers, tookMs };
  }

  /** Makes a runtime and says under which path it is found, and which VM is behind it. */
  async runtime(body = inRuntime(FAAS)): Promise<{ path: string; vm: number; service: number }> {
    const { status, text } = await this.request('POST', '/serverless-runtimes', body);
    expect(status, text).toBe(201);
    const { ID, SERVICE_ID, FAAS: faas } = JSON.parse(text).SERVERLESS_RUNTIME;
    return { path: `/serverless-runtimes/${ID}`, vm: faas.VM_ID, service: SERVICE_ID };
  }

  arm(action: string, effect: { do: 'stick' } | { do: 'fail' } | { do: 'delay'; ms: number }): void {
    this.cloud.judge.arm({ selector: { layer: 'vm', operation: action }, trigger: { times: 1 }, effect });
  }

  state(vm: number): string {
    return this.cloud.vms.get(vm).state;
  }
}

const furnish = await furnishing('recorded');

function client(
  deviations: ReadonlySet<string> = new Set(ENGINE_DEVIATIONS),
  timeout = 30,
  maxBodyBytes = 4_194_304,
): Client {
  const engine = { ...ENGINE_DEFAULTS, timeout };
  const simulator = createSimulator({ furnish, timing: TIMINGS.fast, deviations, engine, maxBodyBytes });
  return new Client({ cloud: simulator.world.cloud, fetch: simulator.fetch });
}

/** A cloud in which the second role of `Late-Data` waits for the first, which never boots. */
function lateClient(deviations?: ReadonlySet<string>, timeout?: number): Client {
  const late = client(deviations, timeout);
  const { cloud } = late;
  const role = (name: string) => ({ name, cardinality: 1, vm_template: 0 });
  const roles = [role('FAAS'), { ...role('DAAS'), parents: ['FAAS'] }];
  const { id } = createServiceTemplate(cloud, cloud.root, { name: 'Late-Data', deployment: 'straight', roles });
  cloud.run(cloud.root, 'one.document.chmod', id, 1, 1, 0, 0, 0, 0, 1, 0, 0);
  late.arm('deploy', { do: 'stick' });
  return late;
}

const LATE = inRuntime('"FAAS":{"FLAVOUR":"Late"},"DAAS":{"FLAVOUR":"Data"}');

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

describe('a deviation that is off', () => {
  it('get-200: reading answers 201', async () => {
    const at = client(upstreamWithout('get-200'));
    const { path } = await at.runtime();
    expect((await at.request('GET', path)).status).toBe(201);
  });

  it('put-invalid-500: a body that breaks the schema is 400', async () => {
    const at = client(upstreamWithout('put-invalid-500'));
    const { path } = await at.runtime();
    expect((await at.request('PUT', path, '{"SERVERLESS_RUNTIME":{}}')).status).toBe(400);
  });

  it('put-error-null-message: the message is the state', async () => {
    const at = client(upstreamWithout('put-error-null-message'));
    at.arm('deploy', { do: 'fail' });
    const { path } = await at.runtime();
    await at.settle();
    const { status, text } = await at.request('PUT', path, inRuntime(FAAS));
    expect([status, JSON.parse(text).message]).toEqual([500, 'ERROR']);
  });

  it('put-error-owner-not-recovered: an update recovers an error', async () => {
    const at = client(upstreamWithout('put-error-owner-not-recovered'));
    at.arm('deploy', { do: 'fail' });
    const { path, vm } = await at.runtime();
    await at.settle();
    expect(at.state(vm)).toBe('BOOT_FAILURE');
    expect((await at.request('PUT', path, inRuntime(FAAS))).status).toBe(500);
    await at.settle();
    expect(at.state(vm)).toBe('RUNNING');
  });

  it('body-without-runtime-500: a body without a runtime is 400', async () => {
    const at = client(upstreamWithout('body-without-runtime-500'));
    expect((await at.request('POST', '/serverless-runtimes', '{}')).text).toBe(
      `{"error":"Invalid Serverless Runtime specification","message":"The property '#/' did not contain a required property of 'SERVERLESS_RUNTIME'"}`,
    );
  });

  it('basic-without-credentials-500: the bare scheme is refused with 401', async () => {
    const at = client(upstreamWithout('basic-without-credentials-500'));
    expect((await at.request('GET', '/serverless-runtimes/1', undefined, 'Basic ')).status).toBe(401);
  });

  it('form-body-html: a form is read as JSON', async () => {
    const at = client(upstreamWithout('form-body-html'));
    const headers = new Headers({
      Authorization: basic('tester:testerpass'),
      'Content-Type': 'multipart/form-data; boundary=x',
    });
    expect((await at.ask('POST', '/serverless-runtimes', headers, inRuntime('"FAAS":{"FLAVOUR":"50%"}'))).status).toBe(
      422,
    );
  });

  it('delete-never-423: a runtime that is being resized stays', async () => {
    const at = client(upstreamWithout('delete-never-423'));
    const { path, vm } = await at.runtime();
    await at.settle();
    at.arm('resize', { do: 'delay', ms: 8_000 });
    const answered = at.request('PUT', path, resized(3));
    await at.until(() => at.state(vm) === 'HOTPLUG_RESIZE');
    const { status, text } = await at.request('DELETE', path);
    expect([status, text]).toEqual([
      423,
      '{"error":"Cannot delete Serverless Runtime Function VM FAAS on a transient state","message":"UPDATING"}',
    ]);
    expect((await answered).status).toBe(200);
    expect((await at.request('DELETE', path)).status).toBe(204);
  });

  it('delete-leaks-vm: no VM is left, whatever it was doing', async () => {
    for (const action of ['prolog', 'deploy', 'resize']) {
      const at = client(upstreamWithout('delete-leaks-vm'));
      at.arm(action, { do: 'delay', ms: 600_000 });
      const { path, vm } = await at.runtime();
      await at.cloud.clock.advance(10_000);
      const resizing = action === 'resize' ? at.request('PUT', path, resized(3)) : undefined;
      if (resizing !== undefined) await at.until(() => at.state(vm) === 'HOTPLUG_RESIZE');
      expect((await at.request('DELETE', path)).status).toBe(204);
      await resizing;
      await at.settle();
      expect(at.state(vm), action).toBe('DONE');
    }
  });

  it("delete-leaks-vm: nobody else's VM ends, whatever the body says", async () => {
    const at = client(CONTRACT);
    const other = { Authorization: basic('other:otherpass') };
    const theirs = await (await at.ask('POST', '/serverless-runtimes', new Headers(other), inRuntime(FAAS))).text();
    const vm = JSON.parse(theirs).SERVERLESS_RUNTIME.FAAS.VM_ID;
    const { path } = await at.runtime(inRuntime(`${FAAS},"DAAS":{"FLAVOUR":"","VM_ID":${vm}}`));
    await at.settle();
    expect((await at.request('DELETE', path)).status).toBe(204);
    await at.settle();
    expect(at.state(vm)).toBe('RUNNING');
  });

  it('put-504-as-500: an update whose time is up is 504', async () => {
    const at = client(upstreamWithout('put-504-as-500'));
    const { path } = await at.runtime();
    await at.settle();
    at.arm('resize', { do: 'stick' });
    expect((await at.request('PUT', path, resized(3))).status).toBe(504);
  });

  it('post-504-leaves-service: a service that came too late goes', async () => {
    const at = lateClient(upstreamWithout('post-504-leaves-service'));
    const before = at.cloud.documents.size;
    expect((await at.request('POST', '/serverless-runtimes', LATE)).status).toBe(504);
    await at.settle();
    expect(at.cloud.documents.size).toBe(before);
  });

  it('short-timeout-zero: a short time-out is 504, upstream 500 and 0', async () => {
    const upstream = await lateClient(undefined, 3).request('POST', '/serverless-runtimes', LATE);
    expect([upstream.status, upstream.text]).toEqual([500, '0']);
    expect(upstream.tookMs).toBeGreaterThanOrEqual(3_000);
    const kept = await lateClient(upstreamWithout('short-timeout-zero'), 3).request(
      'POST',
      '/serverless-runtimes',
      LATE,
    );
    expect(kept.status).toBe(504);
    expect(kept.tookMs).toBeGreaterThanOrEqual(2_000);
  });

  it('id-lenient: what is no id names no runtime', async () => {
    const at = client(upstreamWithout('id-lenient'));
    const { path } = await at.runtime();
    for (const id of [`${path}abc`, '/serverless-runtimes/-1', '/serverless-runtimes/2147483648']) {
      expect((await at.request('GET', id)).text).toBe('{"error":"Serverless Runtime not found","message":""}');
    }
    expect((await at.request('GET', path)).status).toBe(200);
  });

  it('password-cut-at-colon: the password is all behind the first colon', async () => {
    const at = client(upstreamWithout('password-cut-at-colon'));
    expect((await at.request('GET', '/serverless-runtimes/9', undefined, basic('tester:testerpass:x'))).status).toBe(
      401,
    );
  });

  it('get-writes: reading leaves the document as it is', async () => {
    const at = client(upstreamWithout('get-writes'));
    const { path } = await at.runtime();
    const id = Number(path.split('/').at(-1));
    const before = at.cloud.documents.get(id).template.get('BODY');
    await at.settle();
    expect((await at.request('GET', path)).text).toContain('"STATE":"RUNNING"');
    expect(at.cloud.documents.get(id).template.get('BODY')).toBe(before);
  });

  it('rename-shows-late: the answer has the new name', async () => {
    const at = client(upstreamWithout('rename-shows-late'));
    const { path } = await at.runtime();
    await at.settle();
    expect((await at.request('PUT', path, inRuntime(`${FAAS},"NAME":"renamed"`))).text).toContain('"NAME":"renamed"');
  });

  it('rename-before-423: a refused update renames nothing', async () => {
    const at = client(upstreamWithout('rename-before-423'));
    const { path } = await at.runtime();
    expect((await at.request('PUT', path, inRuntime(`${FAAS},"NAME":"renamed"`))).status).toBe(423);
    expect((await at.request('GET', path)).text).not.toContain('renamed');
    await at.settle();
    await at.request('PUT', path, inRuntime(`${FAAS},"NAME":"renamed"`));
    expect((await at.request('GET', path)).text).toContain('"NAME":"renamed"');
  });

  it('capacity-run-together: a resize shows what the VM had', async () => {
    const at = client(upstreamWithout('capacity-run-together'));
    const { path, vm } = await at.runtime();
    await at.settle();
    at.arm('resize', { do: 'delay', ms: 8_000 });
    const answered = at.request('PUT', path, resized(3));
    await at.until(() => at.state(vm) === 'HOTPLUG_RESIZE');
    expect((await at.request('GET', path)).text).toContain('"CPU":2,"MEMORY":128,');
    await answered;
  });

  it('daas-copy-of-faas: the message repeats what was asked for', async () => {
    const at = client(upstreamWithout('daas-copy-of-faas'));
    const body = inRuntime('"FAAS":{"FLAVOUR":"Function"},"DAAS":{"FLAVOUR":"nosuch"}');
    expect((await at.request('POST', '/serverless-runtimes', body)).text).toContain('"DAAS":{"FLAVOUR":"nosuch"}');
  });

  it('unknown-path-html, crash-html, no-www-authenticate: errors are JSON, and 401 says how to authenticate', async () => {
    const at = client(CONTRACT);
    expect((await at.request('GET', '/nope')).text).toBe('{"error":"Not Found","message":"GET /nope"}');
    const noDisk = await at.request('POST', '/serverless-runtimes', inRuntime('"FAAS":{"FLAVOUR":"NoDisk"}'));
    expect([noDisk.status, noDisk.text]).toEqual([500, '{"error":"Internal Server Error","message":""}']);
    expect((await at.request('GET', '/serverless-runtimes/1', undefined, '')).headers.get('WWW-Authenticate')).toMatch(
      /^Basic /,
    );
  });

  it('is read in exactly one place', () => {
    const folder = new URL('.', import.meta.url);
    const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !/test|deviations/.test(name));
    const text = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
    for (const id of ENGINE_DEVIATIONS) expect(text.split(`has('${id}')`).length - 1, id).toBe(1);
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
