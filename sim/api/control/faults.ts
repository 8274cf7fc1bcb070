/** `/_onesim/faults`: faults as resources. */
import { Hono } from 'hono';
import type { Controlled } from './controlled.ts';
import { parseFault } from './fault-body.ts';
import { jsonOf, NotFound, shortened } from './request.ts';

export function faultRoutes({ judge, journal, maxBodyBytes }: Controlled): Hono {
  return new Hono()
    .get('/faults', (c) => c.json({ faults: [...judge.faults] }))
    .post('/faults', async (c) => {
      const fault = judge.arm(parseFault(await jsonOf(c.req.raw, maxBodyBytes)));
      journal.append('fault.armed', `fault/${fault.id}`, { do: fault.effect.do });
      return c.json(fault, 201, { Location: `/_onesim/faults/${fault.id}` });
    })
    .delete('/faults/:id', (c) => {
      const id = c.req.param('id');
      if (!judge.disarm(id)) throw new NotFound(`There is no fault ${shortened(id)}`);
      journal.append('fault.disarmed', `fault/${id}`);
      return c.body(null, 204);
    });
}
