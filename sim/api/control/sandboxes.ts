/** Sandboxes: opened, listed and closed. What happens in one is asked of its own APIs. */
import { Hono } from 'hono';
import type { Controlled } from './controlled.ts';
import { BadRequest, Conflict, jsonOf, NotFound, number, object, oneOf, shortened, time } from './request.ts';
import { BEGINNINGS, type Beginning, SEEDS } from './state.ts';

/** What somebody wants of a new sandbox. What is left open is as in the main world; a name cannot be guessed then. */
export interface SandboxWish extends Beginning {
  readonly name?: string;
  /** Simulated milliseconds that pass in one of the host's; 0 while time stands still. */
  readonly factor?: number;
}

export interface SandboxFacts {
  readonly name: string;
  readonly seed: number;
  readonly now: number;
  readonly factor: number;
  /** In front of the paths of its APIs. */
  readonly path: string;
}

export interface SandboxDoor {
  /** How many there may be at a time. */
  readonly most: number;
  list(): readonly SandboxFacts[];
  find(name: string): SandboxFacts | undefined;
  open(wish: SandboxWish): SandboxFacts | 'full' | 'taken';
  /** False when there is none of that name. */
  close(name: string): boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const WORDS: Readonly<Record<string, number>> = { virtual: 0, real: 1 };

export function sandboxRoutes({ sandboxes, journal, maxBodyBytes }: Controlled): Hono {
  const required = (name: string): SandboxFacts => {
    const facts = sandboxes.find(name);
    if (facts === undefined) throw new NotFound(`There is no sandbox ${shortened(name)}`);
    return facts;
  };

  return new Hono()
    .get('/sandboxes', (c) => c.json({ sandboxes: sandboxes.list().map(shown), most: sandboxes.most }))
    .post('/sandboxes', async (c) => {
      const wish = wishIn(await jsonOf(c.req.raw, maxBodyBytes, {}));
      const opened = sandboxes.open(wish);
      if (opened === 'taken') throw new Conflict(`There is a sandbox ${wish.name} already`);
      if (opened === 'full') throw new Conflict(fullText(sandboxes.most));
      journal.append('sandbox.opened', `sandbox/${opened.name}`, { seed: opened.seed });
      return c.json(shown(opened), 201, { Location: opened.path });
    })
    .get('/sandboxes/:name', (c) => c.json(shown(required(c.req.param('name')))))
    .delete('/sandboxes/:name', (c) => {
      const { name } = required(c.req.param('name'));
      sandboxes.close(name);
      journal.append('sandbox.closed', `sandbox/${name}`);
      return c.body(null, 204);
    });
}

const fullText = (most: number): string =>
  most === 0
    ? 'There can be no sandboxes here'
    : `There are ${most} sandboxes, as many as there may be: close one first`;

/** As the API shows it. */
export interface SandboxAnswer extends Omit<SandboxFacts, 'now'> {
  readonly now: string;
}

const shown = ({ name, seed, now, factor, path }: SandboxFacts): SandboxAnswer => ({
  name,
  seed,
  now: time(now),
  factor,
  path,
});

function wishIn(body: unknown): SandboxWish {
  const { name, seed, clock, world } = object(body, 'The body', ['name', 'seed', 'clock', 'world'], []);
  if (name !== undefined && (typeof name !== 'string' || !NAME.test(name))) {
    throw new BadRequest(
      'name must be 1 to 63 letters, digits, dots, hyphens and underscores, and begin with a letter or digit',
    );
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(seed === undefined ? {} : { seed: number(seed, 'seed', SEEDS) }),
    ...(clock === undefined ? {} : { factor: factorOf(clock) }),
    ...(world === undefined ? {} : { world: oneOf(world, 'world', BEGINNINGS) }),
  };
}

function factorOf(clock: unknown): number {
  if (typeof clock !== 'string') return number(clock, 'clock', { least: 0, most: 1_000_000, whole: false });
  return WORDS[oneOf(clock, 'clock', Object.keys(WORDS))] ?? 0;
}
