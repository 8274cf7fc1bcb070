/** The other side of each deviation: what the contract says. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENGINE_DEVIATIONS, type EngineDeviation } from './deviations.ts';
import { basic, client, FAAS, inRuntime, LATE, lateClient, resized } from './testing.ts';

const CONTRACT = new Set<string>();
const upstreamWithout = (id: EngineDeviation) => new Set<string>(ENGINE_DEVIATIONS.filter((other) => other !== id));

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

  it('put-writes-what-it-read: of two updates at once neither loses what the other was answered for', async () => {
    const lost = async (deviations: ReadonlySet<string>): Promise<boolean> => {
      const at = client(deviations);
      const data = '"DAAS":{"FLAVOUR":"Data"';
      const { path } = await at.runtime(inRuntime(`${FAAS},${data}}`));
      await at.settle();
      at.arm('resize', { do: 'delay', ms: 8_000 });
      const both = `${FAAS},${data},"CPU":3,"MEMORY":256,"DISK_SIZE":4096}`;
      const slow = at.request('PUT', path, inRuntime(`${both},"SCHEDULING":{"POLICY":"energy"}`));
      await at.until(() => [...at.cloud.vms].some(({ state }) => state === 'HOTPLUG_RESIZE'));
      const quick = await at.request('PUT', path, inRuntime(`${FAAS},"DEVICE_INFO":{"LATENCY_TO_PE":7}`));
      expect([quick.status, quick.text]).toEqual([200, expect.stringContaining('"LATENCY_TO_PE":7')]);
      expect(await slow).toMatchObject({ status: 200, text: expect.stringContaining('"POLICY":"energy"') });
      const { text } = await at.request('GET', path);
      expect(text).toContain('"POLICY":"energy"');
      return !text.includes('"LATENCY_TO_PE":7');
    };
    expect(await lost(new Set(ENGINE_DEVIATIONS))).toBe(true);
    expect(await lost(upstreamWithout('put-writes-what-it-read'))).toBe(false);
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
