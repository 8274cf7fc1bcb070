/** The world as a whole over the control API, every answer held against its contract. */
import { describe, expect, it } from 'vitest';
import { ADMIN, checksAllOf, EPOCH, refused, start, withVm } from './testing.ts';

checksAllOf((operation) => ['takeSnapshot', 'restoreSnapshot', 'reset'].includes(operation));

/** A snapshot with something else in it. */
const changed = (snapshot: object, change: (document: Record<string, never>) => void): object => {
  const copy = structuredClone(snapshot);
  change(copy as Record<string, never>);
  return copy;
};

describe('a snapshot', () => {
  it('puts everything back: what was done since is undone, and goes on as it went', async () => {
    const { world, call, id } = withVm();
    const { body } = await call('GET', '/snapshot');
    await call('POST', '/clock', { action: 'advance', ms: 60_000 });
    const { body: later } = await call('GET', `/vms/${id}`);
    expect(later.lcmState).toBe('RUNNING');
    expect((await call('PUT', '/snapshot', body)).status).toBe(204);
    expect(world().clock.now).toBe(EPOCH);
    expect((await call('GET', `/vms/${id}`)).body.state).toBe('PENDING');
    await call('POST', '/clock', { action: 'advance', ms: 60_000 });
    expect((await call('GET', `/vms/${id}`)).body).toEqual(later);
  });

  it('leaves no trace in the journal, neither by being taken nor by being put back', async () => {
    const { world, call } = withVm();
    const before = world().journal.length;
    const { body } = await call('GET', '/snapshot');
    expect(world().journal.length).toBe(before);
    await call('PUT', '/snapshot', body);
    expect(world().journal.length).toBe(before);
  });

  it('may be formatted', async () => {
    const { world, call } = withVm();
    const { body } = await call('GET', '/snapshot');
    expect((await call('PUT', '/snapshot', JSON.stringify(body, null, 2))).status).toBe(204);
    expect(world().cloud.vms.size).toBe(1);
  });

  it('holds the faults, with what they have seen', async () => {
    const { world, call } = withVm();
    const fault = { selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'fail' }, budget: { hits: 2 } };
    await call('POST', '/faults', fault);
    await call('POST', '/clock', { action: 'advance', ms: 60_000 });
    const { body } = await call('GET', '/snapshot');
    const { body: faults } = await call('GET', '/faults');
    expect(faults.faults).toMatchObject([{ id: 'f1', hits: 1 }]);
    await call('DELETE', '/faults/f1');
    await call('PUT', '/snapshot', body);
    expect((await call('GET', '/faults')).body).toEqual(faults);
    world().cloud.call(ADMIN, 'one.vm.recover', 0, 2);
    await call('POST', '/clock', { action: 'advance', ms: 60_000 });
    expect((await call('GET', '/faults')).body.faults).toMatchObject([{ id: 'f1', hits: 2 }]);
  });

  it('is refused while a request waits for time to pass, which is named', async () => {
    const { world, call } = start();
    const waiting = world().clock.sleep(1000, 'resize of VM 3');
    expect(refused(await call('GET', '/snapshot'))).toEqual([
      409,
      'conflict',
      'Requests wait for simulated time to pass, and belong to their connections: resize of VM 3 (until ' +
        '2026-01-01T00:00:01.000Z). Let them be answered first',
    ]);
    await world().clock.advance(1000);
    await waiting;
    expect((await call('GET', '/snapshot')).status).toBe(200);
  });

  it.each([
    [
      'of a newer onesim',
      (d: Record<string, never>) => Object.assign(d, { version: 3 }),
      /^The snapshot is of a newer onesim: its version is 3, and this one reads 2$/,
    ],
    [
      'of an older onesim',
      (d: Record<string, never>) => Object.assign(d, { version: 1 }),
      /^The snapshot is of another onesim: its version is 1, and this one reads 2$/,
    ],
    [
      'of something else',
      (d: Record<string, never>) => Object.assign(d, { format: 'a letter' }),
      /^This is no snapshot of onesim$/,
    ],
    [
      'that has been changed',
      (d: Record<string, never>) => Object.assign(d.parts ?? {}, { acl: {} }),
      /^The snapshot is damaged: the part "acl" is not what was written$/,
    ],
    [
      'with a part that nobody knows',
      (d: Record<string, never>) => Object.assign(d.parts ?? {}, { vmss: [] }),
      /^The snapshot has an unknown part "vmss", did you mean "vms"\?$/,
    ],
    [
      'without a part',
      (d: Record<string, never>) => Reflect.deleteProperty(d.parts ?? {}, 'hosts'),
      /^The snapshot lacks the part "hosts"$/,
    ],
  ])('%s is refused, and the world is as it was', async (_, change, message) => {
    const { world, call } = withVm();
    const { body } = await call('GET', '/snapshot');
    const before = world();
    const answer = await call('PUT', '/snapshot', changed(body, change));
    expect(refused(answer)).toEqual([400, 'bad_request', expect.stringMatching(message)]);
    expect(world()).toBe(before);
  });

  it.each([
    ['nothing', ''],
    ['half of one', (whole: string) => whole.slice(0, whole.length / 2)],
    ['something that is no JSON', 'vms'],
  ])('%s is refused', async (_, given) => {
    const { world, call } = withVm();
    const text = typeof given === 'string' ? given : given(JSON.stringify((await call('GET', '/snapshot')).body));
    const before = world();
    const [status, , message] = refused(await call('PUT', '/snapshot', text));
    expect([status, message]).toEqual([400, expect.stringMatching(/^The snapshot is no JSON, or cut short: /)]);
    expect(world()).toBe(before);
  });
});

it.each([
  ['PUT', '/snapshot', 2 ** 28],
  ['POST', '/reset', 10_000],
])('%s %s takes no body of more than %i bytes', async (method, path, most) => {
  const { call } = start();
  const headers = { 'Content-Length': String(most + 1) };
  expect(refused(await call(method, path, '{}', headers))).toEqual([413, 'too_large', expect.anything()]);
});

describe('a reset', () => {
  it('begins with another seed, when told', async () => {
    const { world, call } = start();
    await call('POST', '/reset', { seed: 42 });
    expect(world().config.seed).toBe(42);
    await call('POST', '/reset');
    expect(world().config.seed).toBe(1);
  });

  it('begins with nothing, when told', async () => {
    const { world, call } = start({
      furnish: (cloud) => {
        cloud.run(cloud.root, 'one.vm.allocate', 'NAME=one CPU=1 MEMORY=64');
        return start().world().furnishing;
      },
    });
    expect(world().cloud.vms.size).toBe(1);
    await call('POST', '/reset', { world: 'empty' });
    expect(world().cloud.vms.size).toBe(0);
    await call('POST', '/reset', {});
    expect(world().cloud.vms.size).toBe(1);
  });

  it.each([
    [{ seed: -1 }, 'seed must be a whole number between 0 and 9007199254740991'],
    [{ world: 'loded' }, 'world must be one of loaded, empty, did you mean "loaded"?'],
    [{ sed: 1 }, 'The body has no part "sed", did you mean "seed"?'],
  ])('refuses %j', async (body, message) => {
    expect(refused(await start().call('POST', '/reset', body))).toEqual([400, 'bad_request', message]);
  });
});
