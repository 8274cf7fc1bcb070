/** The world as a whole: written down, put back, begun anew. */
import { Hono } from 'hono';
import { Unreadable, Unsettled } from '../../kernel/held.ts';
import { readBody } from '../edge.ts';
import type { Controlled } from './controlled.ts';
import { BadRequest, Conflict, jsonOf, number, object, oneOf } from './request.ts';

/** What can be done to a world as a whole. */
export interface Kept {
  /** @throws Unsettled */
  snapshot(): string;
  /** @throws Unreadable */
  restore(snapshot: string): void;
  reset(beginning: Beginning): void;
}

/** What a world begins with. */
export interface Beginning {
  /** As it was loaded, or with nothing that OpenNebula does not begin with. */
  readonly world?: (typeof BEGINNINGS)[number];
  readonly seed?: number;
}

/** Where a world can be read and replaced. As nothing happens in the world by that, its journal does not say so. */
export const SNAPSHOT_PATH = '/_onesim/snapshot';

/** A snapshot is larger than other bodies: 10,000 VMs take some 5 MB. */
const MOST_BYTES = 2 ** 28;

const JSON_TYPE = { 'Content-Type': 'application/json' };

export const SEEDS = { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true };

export const BEGINNINGS = ['loaded', 'empty'] as const;

export function stateRoutes({ kept, maxBodyBytes }: Controlled): Hono {
  return new Hono()
    .get('/snapshot', (c) => {
      try {
        return c.body(kept.snapshot(), 200, JSON_TYPE);
      } catch (error) {
        throw error instanceof Unsettled ? new Conflict(error.message) : error;
      }
    })
    .put('/snapshot', async (c) => {
      const text = new TextDecoder().decode(await readBody(c.req.raw, MOST_BYTES));
      try {
        kept.restore(text);
      } catch (error) {
        throw error instanceof Unreadable ? new BadRequest(error.message) : error;
      }
      return c.body(null, 204);
    })
    .post('/reset', async (c) => {
      const body = await jsonOf(c.req.raw, maxBodyBytes, {});
      const { seed, world } = object(body, 'The body', ['seed', 'world'], []);
      kept.reset({
        ...(seed === undefined ? {} : { seed: number(seed, 'seed', SEEDS) }),
        ...(world === undefined ? {} : { world: oneOf(world, 'world', BEGINNINGS) }),
      });
      return c.body(null, 204);
    });
}
