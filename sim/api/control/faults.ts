/** `/_onesim/faults`: faults as resources. */
import { Hono } from 'hono';
import { type Fault, mostHits } from '../../faults/fault.ts';
import { readFault } from '../../faults/flaws.ts';
import { FAULT_SCHEMA } from '../../faults/schema.ts';
import type { Edge } from '../edge.ts';
import type { Controlled } from './controlled.ts';
import { BadRequest, Conflict, jsonOf, NotFound, shortened, time } from './request.ts';

export function faultRoutes({ judge, clock, vocabulary, maxBodyBytes }: Controlled): Hono<{ Bindings: Edge }> {
  const faultOf = (id: string): Fault => {
    const fault = judge.find(id);
    if (fault === undefined) throw new NotFound(`There is no fault ${shortened(id)}`);
    return fault;
  };

  return new Hono<{ Bindings: Edge }>()
    .get('/faults', (c) => c.json({ faults: [...judge.faults].map(faultAnswer) }))
    .post('/faults', async (c) => {
      const spec = readFault(await jsonOf(c.req.raw, maxBodyBytes), vocabulary, clock.now);
      if (Array.isArray(spec)) throw new BadRequest(spec.map(sentence).join('; '));
      const { id } = spec;
      if (id !== undefined && judge.find(id) !== undefined) throw new Conflict(`There is a fault ${id} already`);
      const fault = clock.because(c.env.cause, () => judge.arm(spec));
      return c.json(faultAnswer(fault), 201, { Location: `/_onesim/faults/${fault.id}` });
    })
    .delete('/faults', (c) => {
      clock.because(c.env.cause, () => judge.disarmAll());
      return c.body(null, 204);
    })
    .get('/faults/schema', (c) => c.json(FAULT_SCHEMA))
    .get('/faults/:id', (c) => c.json(faultAnswer(faultOf(c.req.param('id')))))
    .delete('/faults/:id', (c) => {
      const { id } = faultOf(c.req.param('id'));
      clock.because(c.env.cause, () => judge.disarm(id));
      return c.body(null, 204);
    });
}

const sentence = ({
  path,
  problem,
}: {
  readonly path: readonly (string | number)[];
  readonly problem: string;
}): string => `${path.length === 0 ? 'The fault' : path.map((step) => shortened(String(step))).join('.')}: ${problem}`;

/** A fault, with what has become of it and what is left. */
function faultAnswer(fault: Fault): object {
  const { selector, effect, trigger, budget, note, id, state, seen, hits, active } = fault;
  const most = mostHits(fault);
  return {
    id,
    selector,
    ...(trigger === undefined ? {} : { trigger }),
    effect,
    ...(budget === undefined ? {} : { budget }),
    ...(note === undefined ? {} : { note }),
    state,
    seen,
    hits,
    left: Number.isFinite(most) ? Math.max(0, most - hits) : null,
    active: active.map(({ from, to }) => ({ from: time(from), to: to === null ? null : time(to) })),
  };
}
