/** Seeded bugs that show only when two are at it at the same time, or to somebody who remembers what was answered. */

import type { Simulator } from '../../../sim/index.ts';
import type { Mutant } from './mutant.ts';
import { functionsOf, mutated, on, patch, rewritten } from './mutated.ts';

/** Says of each request of a kind how many of it are under way for the same id, itself included. */
function underWay() {
  const counts = new Map<number, number>();
  return async <T>(id: number, act: (rivals: number) => Promise<T>): Promise<T> => {
    const rivals = (counts.get(id) ?? 0) + 1;
    counts.set(id, rivals);
    try {
      return await act(rivals);
    } finally {
      counts.set(id, (counts.get(id) ?? 1) - 1);
    }
  };
}

/** Creations are all rivals. */
const ALL = 0;

export const RIVALS: readonly Mutant[] = [
  {
    name: 'of two updates at once one is answered and lost',
    law: 'C1',
    crowd: true,
    wrap: on('PUT', () => {
      const rivalry = underWay();
      return ({ request, door, id, body }) =>
        rivalry(id, async (rivals) => {
          if (rivals < 2) return door(request);
          const authorization = request.headers.get('Authorization') ?? '';
          const look = await door(new Request(request.url, { headers: { Authorization: authorization } }));
          const wanted = JSON.parse(body).SERVERLESS_RUNTIME;
          const answer = await rewritten(look, (runtime) => {
            for (const fields of functionsOf(runtime)) Object.assign(fields, wanted.FAAS, { STATE: 'RUNNING' });
          });
          return new Response(answer.body, {
            status: answer.status === 201 ? 200 : answer.status,
            headers: answer.headers,
          });
        });
    }),
  },
  {
    name: 'a look during an update is remembered beyond its end',
    law: 'C1',
    crowd: true,
    wrap: on('GET PUT', () => {
      const busy = new Set<number>();
      const kept = new Map<number, Response>();
      return async ({ request, door, id, method }) => {
        if (method === 'PUT') {
          busy.add(id);
          kept.delete(id);
          const answer = await door(request);
          busy.delete(id);
          return answer;
        }
        const known = kept.get(id);
        if (known !== undefined) return known.clone();
        const answer = await door(request);
        if (busy.has(id) && answer.status < 300) kept.set(id, answer.clone());
        return answer;
      };
    }),
  },
  {
    name: 'of two deletions at once both succeed',
    law: 'C1',
    crowd: true,
    wrap: on('DELETE', () => {
      const rivalry = underWay();
      return ({ request, door, id }) =>
        rivalry(id, async (rivals) => {
          const answer = await door(request);
          return rivals > 1 && answer.status >= 500 ? new Response(null, { status: 204, headers: SNIFFLESS }) : answer;
        });
    }),
  },
  {
    name: 'two creations at once get one id',
    law: 'C2',
    crowd: true,
    wrap: on('POST', () => {
      const rivalry = underWay();
      let last: unknown;
      return ({ request, door }) =>
        rivalry(ALL, async (rivals) => {
          const answer = await door(request);
          return rewritten(answer, (runtime) => {
            if (rivals > 1 && last !== undefined) runtime.SERVICE_ID = last;
            last = runtime.SERVICE_ID;
          });
        });
    }),
  },
  {
    name: 'two deletions at once free the quota twice',
    law: 'C3',
    crowd: true,
    wrap: on('DELETE', (simulator) => {
      const rivalry = underWay();
      return ({ request, door, id }) =>
        rivalry(id, async (rivals) => {
          const vm = vmOfRuntime(simulator, id);
          const answer = await door(request);
          if (rivals > 1 && vm !== undefined) simulator.world.cloud.quotas.release(vm);
          return answer;
        });
    }),
  },
  {
    name: 'two that are placed at once are booked once',
    law: 'R2',
    crowd: true,
    wrap: mutated(({ cloud, clock }) => {
      let last = -1;
      patch(cloud.driver, 'enter', (enter) => (vm, state) => {
        enter(vm, state);
        if (state !== 'PROLOG') return;
        const host = [...cloud.hosts].find(({ vms }) => vms.has(vm.id));
        if (host !== undefined && last === clock.now) host.usedCpu -= vm.cpu * 100;
        last = clock.now;
      });
    }),
  },
  {
    name: 'a name is answered and forgotten',
    law: 'B1',
    wrap: on('PUT', () => async ({ request, door, body }) => {
      if (!body.includes('"NAME"') || !body.startsWith('{"SERVERLESS_RUNTIME"')) return door(request);
      const { NAME: _, ...rest } = JSON.parse(body).SERVERLESS_RUNTIME;
      const { url, headers } = request;
      const answer = await door(
        new Request(url, { method: 'PUT', headers, body: JSON.stringify({ SERVERLESS_RUNTIME: rest }) }),
      );
      return answer;
    }),
  },
];

/** The machine that was asked for with a runtime. */
function vmOfRuntime({ world }: Simulator, id: number) {
  const body = world.cloud.documents.find(id)?.template.get('BODY');
  return body === undefined ? undefined : world.cloud.vms.find(Number(JSON.parse(body).FAAS?.VM_ID));
}

const SNIFFLESS = { 'X-Content-Type-Options': 'nosniff' };
