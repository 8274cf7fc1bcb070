/** onesim's own API under `/_onesim`: time, the journal, the virtual machines behind the runtimes, and faults. */
import { Hono } from 'hono';
import type { Judge } from '../../faults/judge.ts';
import type { Clock, Moved } from '../../kernel/clock.ts';
import type { Entry, Journal } from '../../kernel/journal.ts';
import { suggestion } from '../../kernel/nearest.ts';
import type { Pace } from '../../kernel/pace.ts';
import type { Cloud } from '../../one/cloud.ts';
import { contextScript } from '../../one/vm/context.ts';
import { isActive } from '../../one/vm/lifecycle.ts';
import { hostOf } from '../../one/vm/placement.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { BodyTooLarge, readBody, routePath } from '../edge.ts';
import { BadRequest, object, parseFault, shortened } from './fault-body.ts';

export interface Controlled {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly journal: Journal;
  readonly judge: Judge;
  readonly cloud: Cloud;
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
  /** Puts the world back as it was loaded. */
  reset(): void;
}

class NotFound extends Error {}

export function controlApi(world: Controlled): Hono {
  const { journal, judge, cloud } = world;

  const vmOf = (id: string): Vm => {
    const vm = /^\d+$/.test(id) ? cloud.vms.find(Number(id)) : undefined;
    if (vm === undefined) throw new NotFound(`There is no VM ${shortened(id)}`);
    return vm;
  };

  return new Hono({ getPath: routePath })
    .basePath('/_onesim')
    .onError((error, c) => {
      if (error instanceof BadRequest) return c.json(problem('bad_request', error.message), 400);
      if (error instanceof BodyTooLarge) return c.json(problem('too_large', error.message), 413);
      if (error instanceof NotFound) return c.json(problem('not_found', error.message), 404);
      if (error instanceof Busy) return c.json(problem('conflict', error.message), 409);
      throw error;
    })
    .get('/livez', (c) => c.json({ status: 'ok' }))
    .get('/readyz', (c) => c.json({ status: 'ok' }))
    .get('/clock', (c) => c.json(clockAnswer(world)))
    .post('/clock', async (c) => {
      const body = await jsonOf(c.req.raw, world.maxBodyBytes);
      const moved = await move(world, body);
      return c.json(clockAnswer(world, moved));
    })
    .get('/journal', (c) => {
      const after = count(c.req.query('after'), 'after', 0, Number.MAX_SAFE_INTEGER, 0);
      const limit = count(c.req.query('limit'), 'limit', 1, 10_000, 100);
      const entries: Entry[] = [];
      for (const entry of journal.since(after)) {
        entries.push(entry);
        if (entries.length === limit) break;
      }
      return c.json({
        entries: entries.map(entryAnswer),
        next: entries.at(-1)?.seq ?? after,
      });
    })
    .get('/vms/:id', (c) => c.json(vmAnswer(cloud, vmOf(c.req.param('id')))))
    .get('/vms/:id/history', (c) => {
      const vm = vmOf(c.req.param('id'));
      const subject = `vm/${vm.id}`;
      const history = [...journal.since()]
        .filter((entry) => entry.subject === subject)
        .map((entry) => ({
          entry: entryAnswer(entry),
          because: journal.why(entry.cause).map(entryAnswer),
        }));
      return c.json({ id: vm.id, ...states(vm), history });
    })
    .get('/vms/:id/context.sh', (c) => {
      const vm = vmOf(c.req.param('id'));
      if (vm.context === null) throw new NotFound(`VM ${vm.id} has no CONTEXT`);
      return c.text(contextScript(cloud, vm));
    })
    .post('/reset', (c) => {
      world.reset();
      return c.body(null, 204);
    })
    .get('/faults', (c) => c.json({ faults: [...judge.faults] }))
    .post('/faults', async (c) => {
      const fault = judge.arm(parseFault(await jsonOf(c.req.raw, world.maxBodyBytes)));
      journal.append('fault.armed', `fault/${fault.id}`, {
        do: fault.effect.do,
      });
      return c.json(fault, 201, { Location: `/_onesim/faults/${fault.id}` });
    })
    .delete('/faults/:id', (c) => {
      const id = c.req.param('id');
      if (!judge.disarm(id)) throw new NotFound(`There is no fault ${shortened(id)}`);
      journal.append('fault.disarmed', `fault/${id}`);
      return c.body(null, 204);
    })
    .all('*', (c) => c.json(problem('not_found', `There is no ${c.req.method} ${shortened(c.req.path)}`), 404));
}

const problem = (code: string, message: string): object => ({
  error: { code, message },
});

async function jsonOf(request: Request, limitBytes: number): Promise<unknown> {
  const body = await readBody(request, limitBytes);
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new BadRequest('The body must be JSON');
  }
}

function count(text: string | undefined, name: string, least: number, most: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new BadRequest(`${name} must be a whole number between ${least} and ${most}`);
  }
  return value;
}

class Busy extends Error {}

/** The end of the year 9999: beyond it a time has no usual form. */
const LAST_INSTANT = 253_402_300_799_999;

/** What a number in a request has to be. */
interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

const events: Bounds = { least: 1, most: 1_000_000_000, whole: true };

/** What a client may do to the clock: what it may say beside the action, and the deed. */
const MOVES: Readonly<
  Record<string, { readonly parts: Readonly<Record<string, Bounds>>; readonly needs?: string; readonly run: Move }>
> = {
  freeze: { parts: {}, run: async ({ pace }) => void pace.set(0) },
  resume: { parts: {}, run: async ({ pace }) => void pace.set(pace.factor || 1) },
  scale: {
    parts: { factor: { least: 0.001, most: 1_000_000, whole: false } },
    needs: 'factor',
    run: async ({ pace }, { factor = 1 }) => void pace.set(factor),
  },
  advance: {
    parts: { ms: { least: 0, most: LAST_INSTANT, whole: false } },
    needs: 'ms',
    run: async ({ clock }, { ms = 0 }) => {
      if (clock.now + ms > LAST_INSTANT) throw new BadRequest(`ms must not lead beyond ${time(LAST_INSTANT)}`);
      return clock.advance(Math.round(ms));
    },
  },
  step: { parts: { n: events }, run: ({ clock }, { n = 1 }) => clock.step(n) },
  runUntilIdle: {
    parts: { maxEvents: events },
    run: async ({ clock }, { maxEvents = 1_000_000 }) => {
      const moved = await clock.step(maxEvents);
      if (moved.nextDue !== null) throw new Busy(`Not idle after ${maxEvents} events`);
      return moved;
    },
  },
};

type Move = (world: Controlled, parts: Readonly<Record<string, number>>) => Promise<Moved | undefined>;

async function move(world: Controlled, body: unknown): Promise<Moved | undefined> {
  const { action } = object(body, 'The body', undefined, ['action']);
  if (typeof action !== 'string') throw new BadRequest('action must be a text');
  const chosen = Object.hasOwn(MOVES, action) ? MOVES[action] : undefined;
  if (chosen === undefined) {
    throw new BadRequest(`Unknown action "${shortened(action)}"${suggestion(action, Object.keys(MOVES))}`);
  }
  const { needs, parts, run } = chosen;
  const given = object(body, 'The body', ['action', ...Object.keys(parts)], needs === undefined ? [] : [needs]);
  const numbers: Record<string, number> = {};
  for (const [name, bounds] of Object.entries(parts)) {
    const value = given[name];
    if (value !== undefined) numbers[name] = number(value, name, bounds);
  }
  return run(world, numbers);
}

function number(value: unknown, name: string, { least, most, whole }: Bounds): number {
  if (typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new BadRequest(`${name} must be a ${whole ? 'whole ' : ''}number between ${least} and ${most}`);
}

const time = (ms: number): string => new Date(ms).toISOString();

function clockAnswer({ clock, pace }: Controlled, moved?: Moved): object {
  return {
    now: time(clock.now),
    factor: pace.factor,
    fired: moved?.fired ?? 0,
    nextDue: clock.nextDue === null ? null : time(clock.nextDue),
    waiters: clock.waiters.map(({ what, due }) => ({ what, due: time(due) })),
  };
}

const entryAnswer = (entry: Entry): object => ({
  ...entry,
  at: time(entry.at),
});

/** OpenNebula's two names of a state. */
const states = (vm: Vm): { state: string; lcmState: string } =>
  isActive(vm.state) ? { state: 'ACTIVE', lcmState: vm.state } : { state: vm.state, lcmState: 'LCM_INIT' };

function vmAnswer(cloud: Cloud, vm: Vm): object {
  return {
    id: vm.id,
    name: vm.name,
    user: cloud.users.find(vm.uid)?.name ?? '',
    group: cloud.groups.find(vm.gid)?.name ?? '',
    ...states(vm),
    host: hostOf(cloud, vm)?.name ?? null,
    cpu: vm.cpu,
    vcpu: vm.vcpu,
    memoryMiB: vm.memoryMiB,
    addresses: vm.nics.map((nic) => nic.ip ?? nic.ip6Global ?? nic.ip6Ula ?? ''),
  };
}
