/** Sandboxes over the control API, every answer held against its contract. What they keep apart is tested beside the simulator. */
import { describe, expect, it } from 'vitest';
import { checksAllOf, refused, start } from './testing.ts';

checksAllOf((id) => /Sandbox(es)?$/.test(id));

const A = { name: 'a', seed: 7, now: '2026-01-01T00:00:00.000Z', factor: 0, path: '/_onesim/sandboxes/a' };

describe('a sandbox', () => {
  it('is opened as it is wished for, shown, listed and closed', async () => {
    const { call } = start();
    const opened = await call('POST', '/sandboxes', { name: 'a', seed: 7, clock: 'virtual' });
    expect([opened.status, opened.headers.get('Location'), opened.body]).toEqual([201, A.path, A]);
    expect((await call('GET', '/sandboxes/a')).body).toEqual(A);
    expect((await call('GET', '/sandboxes')).body).toEqual({ sandboxes: [A], most: 64 });
    expect((await call('DELETE', '/sandboxes/a')).status).toBe(204);
    expect((await call('GET', '/sandboxes')).body.sandboxes).toEqual([]);
  });

  it('gets a name that nobody guesses, when none is given', async () => {
    const { call } = start();
    const { name } = (await call('POST', '/sandboxes')).body;
    expect(name).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect((await call('POST', '/sandboxes')).body.name).not.toBe(name);
  });

  it('is journalled in the main world as it comes and goes', async () => {
    const { world, call } = start();
    await call('POST', '/sandboxes', { name: 'a' });
    await call('DELETE', '/sandboxes/a');
    const kinds = [...world().journal.since()].map(({ kind, subject }) => `${kind} ${subject}`);
    expect(kinds).toEqual(expect.arrayContaining(['sandbox.opened sandbox/a', 'sandbox.closed sandbox/a']));
  });

  it('is refused where its name is taken, or there are as many as there may be', async () => {
    const { call } = start({ sandboxes: 2 });
    const open = (name: string) => call('POST', '/sandboxes', { name });
    expect((await open('a')).status).toBe(201);
    expect(refused(await open('a'))).toEqual([409, 'conflict', 'There is a sandbox a already']);
    expect((await open('b')).status).toBe(201);
    const full = 'There are 2 sandboxes, as many as there may be: close one first';
    expect(refused(await open('c'))).toEqual([409, 'conflict', full]);
    await call('DELETE', '/sandboxes/a');
    expect((await open('c')).status).toBe(201);
  });

  it.each([
    [{ name: '../etc' }, /^name must be 1 to 63 letters/],
    [{ name: '' }, /^name must be 1 to 63 letters/],
    [{ seed: 1.5 }, /^seed must be a whole number/],
    [{ clock: 'virtaul' }, /^clock must be one of virtual, real, did you mean "virtual"\?$/],
    [{ clock: -1 }, /^clock must be a number between 0 and 1000000$/],
    [{ world: 'default' }, /^world must be one of loaded, empty/],
  ])('is refused for %j', async (wish, message) => {
    const { call } = start();
    const expected = [400, 'bad_request', expect.stringMatching(message)];
    expect(refused(await call('POST', '/sandboxes', wish))).toEqual(expected);
  });

  it('is refused in more words than a body may have', async () => {
    const { call } = start();
    expect((await call('POST', '/sandboxes', { name: 'a'.repeat(10_000) })).status).toBe(413);
  });

  it('that is not there is not found', async () => {
    const { call } = start();
    const missing = [404, 'not_found', 'There is no sandbox b'];
    expect(refused(await call('GET', '/sandboxes/b'))).toEqual(missing);
    expect(refused(await call('DELETE', '/sandboxes/b'))).toEqual(missing);
  });
});
