/**
 * Seeded bugs, each with the law that has to find it: the harness tested. They stand before the door of a stand-in, or
 * patch one object of one world, and only the mutation suite puts them there: no setting and no production code knows them.
 */

import { WALL_CLOCK } from '../wall-clock.ts';
import { LATENT } from './latent.ts';
import type { Mutant } from './mutant.ts';
import {
  ADMIN,
  again,
  answering,
  functionsOf,
  missing,
  mutated,
  OWNER,
  on,
  patch,
  rewritten,
  told,
  vmOf,
} from './mutated.ts';
import { RIVALS } from './rivals.ts';
import { WATCHING_MUTANTS } from './watching.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'UPDATING is skipped',
    law: 'L1',
    wrap: answering('GET PUT', (runtime) => {
      for (const fields of functionsOf(runtime)) if (fields.STATE === 'UPDATING') fields.STATE = 'RUNNING';
    }),
  },
  {
    name: 'what was just created is not found',
    law: 'L2',
    wrap: on('GET', () => {
      const known = new Set<number>();
      return async ({ request, door, id }) => {
        const answer = await door(request);
        const first = answer.status === 200 && !known.has(id);
        known.add(id);
        return first ? missing() : answer;
      };
    }),
  },
  {
    name: 'a boot that nobody ends',
    law: 'L3',
    wrap: mutated(({ cloud }) =>
      patch(cloud.driver, 'finish', (finish) => (vm, ...more) => {
        if (vm.state !== 'BOOT' || vm.id % 2 === 0) finish(vm, ...more);
      }),
    ),
  },
  {
    name: 'stuck in UPDATING while any fault is armed',
    law: 'L4',
    wrap: mutated(({ cloud, judge }) =>
      patch(cloud.driver, 'finish', (finish) => (vm, ...more) => {
        if (judge.idle || vm.state !== 'HOTPLUG_RESIZE') finish(vm, ...more);
      }),
    ),
  },
  {
    name: 'UPDATING by itself',
    law: 'L5',
    wrap: on('GET', (simulator) => async ({ request, door, id }) => {
      const answer = await door(request);
      const { cloud, clock } = simulator.world;
      const vm = [...cloud.vms].find((each) => each.state === 'RUNNING' && each.id > 0);
      if (id % 4 === 0 && vm !== undefined) clock.because(0, () => cloud.driver.enter(vm, 'HOTPLUG'));
      return answer;
    }),
  },
  {
    name: 'RUNNING becomes ERROR without a cause',
    law: 'L6',
    wrap: on('GET', (simulator) => async ({ request, door, id }) => {
      const answer = await door(request);
      const { cloud, clock } = simulator.world;
      const vm = [...cloud.vms].find((each) => each.state === 'RUNNING' && each.id > 0);
      if (id % 4 === 0 && vm !== undefined) clock.because(0, () => cloud.driver.lose(vm));
      return answer;
    }),
  },
  {
    name: 'ERROR without a message',
    law: 'L8',
    wrap: answering('GET PUT', (runtime) => {
      for (const fields of functionsOf(runtime)) if (fields.STATE === 'ERROR') delete fields.ERROR;
    }),
  },
  {
    name: 'a failed deployment leaves its service',
    law: 'L9',
    wrap: (simulator) => {
      const { flow } = simulator.world.cloud;
      const recover = flow.recover.bind(flow);
      let creating = false;
      Object.defineProperty(flow, 'recover', {
        value: (...args: Parameters<typeof recover>) => (creating ? undefined : recover(...args)),
      });
      return on('POST', () => async ({ request, door }) => {
        creating = true;
        const answer = await door(request);
        creating = false;
        return answer;
      })(simulator);
    },
  },
  {
    name: 'a deletion that is only answered',
    law: 'L10',
    wrap: on('DELETE', () => async (plea) => {
      const look = await plea.door(again({ ...plea, method: 'GET' }, plea.request.headers.get('Authorization') ?? ''));
      return look.status === 200
        ? new Response(null, { status: 204, headers: { 'X-Content-Type-Options': 'nosniff' } })
        : plea.door(plea.request);
    }),
  },
  {
    name: 'a recovery clears ERROR, but the VM stays down',
    law: 'L1',
    wrap: on('GET PUT', () => {
      const pardoned = new Set<number>();
      return async ({ request, door, id, method }) => {
        const answer = await door(request);
        if (method === 'PUT' && answer.status === 500) pardoned.add(id);
        return rewritten(answer, (runtime) => {
          for (const fields of functionsOf(runtime))
            if (fields.STATE === 'ERROR' && pardoned.has(id)) fields.STATE = 'RUNNING';
        });
      };
    }),
  },
  {
    name: 'a refused update keeps the name',
    law: 'L12',
    profile: 'contract',
    wrap: on('PUT', (simulator) => async (plea) => {
      const answer = await plea.door(plea.request);
      const { cloud } = simulator.world;
      const name: unknown = plea.body.includes('"NAME"') ? JSON.parse(plea.body).SERVERLESS_RUNTIME?.NAME : undefined;
      if (answer.status === 423 && typeof name === 'string')
        cloud.run(cloud.root, 'one.document.rename', plea.id, name);
      return answer;
    }),
  },
  {
    name: 'an update moves the function to another VM',
    law: 'L13',
    wrap: answering('PUT', (runtime) => {
      for (const fields of functionsOf(runtime)) fields.VM_ID = Number(fields.VM_ID) + 1000;
    }),
  },
  {
    name: 'DAAS is forgotten',
    law: 'R1',
    wrap: answering('POST', (runtime) => void delete runtime.DAAS),
  },
  {
    name: 'a host is over-committed',
    law: 'R2',
    wrap: mutated(({ cloud }) =>
      patch(cloud.driver, 'enter', (enter) => (vm, state) => {
        enter(vm, state);
        if (state === 'RUNNING' && vm.id > 0 && vm.cpu > 3) vm.cpu = 64;
      }),
    ),
  },
  {
    name: 'a VM runs on a host that is down',
    law: 'R3',
    wrap: mutated(({ cloud }) => patch(cloud.driver, 'lose', () => () => {})),
  },
  {
    name: 'a deletion leaves one VM',
    law: 'R4',
    wrap: mutated(({ cloud }) => {
      let spared = false;
      patch(cloud.driver, 'enter', (enter) => (vm, state) => {
        if (state === 'SHUTDOWN' && !spared) spared = true;
        else enter(vm, state);
      });
    }),
  },
  {
    name: 'one of two updates is lost',
    law: 'R5',
    wrap: on('PUT', () => {
      let turn = 0;
      return async (plea) => {
        const session = plea.request.headers.get('Authorization') ?? '';
        const look = await plea.door(again({ ...plea, method: 'GET' }, session));
        return look.status === 200 && ++turn % 2 === 0 && !plea.body.includes('NAME') ? look : plea.door(plea.request);
      };
    }),
  },
  {
    name: 'CPU without VCPU',
    law: 'R6',
    wrap: mutated(({ cloud }) =>
      patch(cloud.driver, 'finish', (finish) => (vm, ...more) => {
        if (vm.state === 'HOTPLUG_RESIZE') vm.cpu += 1;
        finish(vm, ...more);
      }),
    ),
  },
  {
    name: 'an update changes the address',
    law: 'R7',
    wrap: on('GET PUT', () => {
      const moved = new Set<number>();
      return async ({ request, door, id, method }) => {
        const answer = await door(request);
        if (method === 'PUT' && answer.status === 200) moved.add(id);
        return rewritten(answer, (runtime) => {
          for (const fields of functionsOf(runtime)) if (moved.has(id)) fields.ENDPOINT = '10.255.0.1';
        });
      };
    }),
  },
  {
    name: 'a deletion frees the quota twice',
    law: 'R8',
    wrap: mutated(({ cloud }) =>
      patch(cloud.quotas, 'release', (release) => (vm) => {
        release(vm);
        release(vm);
      }),
    ),
  },
  {
    name: 'an id is used again',
    law: 'A1',
    wrap: on('DELETE POST', () => {
      const free: number[] = [];
      return async ({ request, door, id, method }) => {
        const answer = await door(request);
        if (method === 'DELETE' && answer.status === 204) free.push(id);
        return method === 'DELETE'
          ? answer
          : rewritten(answer, (runtime) => {
              runtime.ID = free.pop() ?? runtime.ID;
            });
      };
    }),
  },
  {
    name: 'a service’s id is refused, not missing',
    law: 'A2',
    wrap: on('GET PUT DELETE', (simulator) => async ({ request, door, id }) => {
      const answer = await door(request);
      const found = simulator.world.cloud.documents.find(id) !== undefined;
      return answer.status === 404 && found ? told(403, 'Failed to read Serverless Runtime Document') : answer;
    }),
  },
  {
    name: 'the tenant check is missing on PUT',
    law: 'A3',
    wrap: on('PUT', () => async (plea) => {
      const answer = await plea.door(plea.request);
      return answer.status === 403 ? plea.door(again(plea, ADMIN)) : answer;
    }),
  },
  {
    name: '404 for what is another’s',
    law: 'A4',
    wrap: on('GET PUT DELETE', () => async ({ request, door }) => {
      const answer = await door(request);
      return answer.status === 403 ? missing() : answer;
    }),
  },
  {
    name: '401 after the effect',
    law: 'A5',
    wrap: on('POST', () => async (plea) => {
      if (!plea.request.headers.has('Authorization')) await plea.door(again(plea, OWNER));
      return plea.door(plea.request);
    }),
  },
  {
    name: 'credentials are tried before the body is read',
    law: 'A6',
    wrap: on('PUT POST', () => async (plea) => {
      const answer = await plea.door(plea.request);
      const wrong = plea.request.headers.get('Authorization')?.endsWith('==') ?? false;
      return answer.status === 400 && wrong ? told(401, 'Failed to read Serverless Runtime Document') : answer;
    }),
  },
  {
    name: 'an error tells the credentials',
    law: 'A7',
    wrap: on('GET PUT DELETE', () => async ({ request, door }) => {
      const answer = await door(request);
      if (answer.status < 400) return answer;
      const headers = answer.headers;
      return new Response(`${await answer.text()} ${request.headers.get('Authorization')}`, {
        status: answer.status,
        headers,
      });
    }),
  },
  {
    name: 'every other look is different',
    law: 'M1',
    wrap: (simulator) => {
      let turn = 0;
      return answering('GET', (runtime) => {
        if (++turn % 2 === 0) runtime.NAME = `${runtime.NAME}!`;
      })(simulator);
    },
  },
  {
    name: 'an update adds to the one before',
    law: 'M2',
    wrap: (simulator) => {
      const sums = new Map<unknown, number>();
      return answering('PUT', (runtime) => {
        const sum = (sums.get(runtime.ID) ?? 0) + 1;
        sums.set(runtime.ID, sum);
        runtime.COUNT = sum;
      })(simulator);
    },
  },
  {
    name: 'a second deletion succeeds',
    law: 'M3',
    wrap: on('DELETE', () => {
      const gone = new Set<number>();
      return async ({ request, door, id }) => {
        const answer = await door(request);
        if (answer.status === 204) gone.add(id);
        return answer.status === 404 && gone.has(id)
          ? new Response(null, { status: 204, headers: { 'X-Content-Type-Options': 'nosniff' } })
          : answer;
      };
    }),
  },
  {
    name: 'a GET draws chance',
    law: 'M4',
    twin: true,
    wrap: on('GET', (simulator) => async ({ request, door }) => {
      for (const vm of simulator.world.cloud.vms) if (vm.id > 0) vm.steps++;
      return door(request);
    }),
  },
  {
    name: 'a name decides how long it takes',
    law: 'M5',
    twin: true,
    wrap: on('POST', (simulator) => async ({ request, door, body }) => {
      await simulator.world.clock.sleep(Math.max(0, body.length - 80), 'a long name');
      return door(request);
    }),
  },
  {
    name: 'one timer reads the host’s clock',
    law: 'D3',
    twin: true,
    // Two runs may read the same by chance, but hardly at each of several requests.
    wrap: on('POST', (simulator) => async ({ request, door }) => {
      await simulator.world.clock.sleep(Math.floor(WALL_CLOCK.now() * 1000) % 997, 'a timer of the host');
      return door(request);
    }),
  },
  {
    name: 'a restored world draws other chances',
    law: 'D5',
    twin: true,
    wrap: (simulator) => {
      patch(simulator, 'restore', (restore) => (snapshot) => {
        restore(snapshot);
        for (const vm of simulator.world.cloud.vms) vm.steps++;
      });
      return (request) => simulator.fetch(request);
    },
  },
  {
    name: 'a state that the journal does not tell',
    law: 'D1',
    wrap: on('PUT', (simulator) => async ({ request, door, id }) => {
      const answer = await door(request);
      const vm = answer.status === 200 ? (vmOf(simulator, id) ?? [...simulator.world.cloud.vms].at(-1)) : undefined;
      if (vm !== undefined && vm.state === 'RUNNING') vm.state = 'SUSPENDED';
      return answer;
    }),
  },
  {
    name: 'the journal is written after the answer',
    law: 'D2',
    wrap: mutated(({ journal }) => {
      const late: (() => void)[] = [];
      patch(journal, 'append', (append) => (kind, subject, detail) => {
        for (const write of late.splice(0)) write();
        if (kind !== 'answer' || !subject.startsWith('/serverless-runtimes')) return append(kind, subject, detail);
        late.push(() => append(kind, subject, detail));
        return journal.length;
      });
    }),
  },
  ...WATCHING_MUTANTS,
  {
    name: 'a header is missing',
    law: 'D6',
    wrap: on('GET', () => async ({ request, door }) => {
      const answer = await door(request);
      const headers = new Headers(answer.headers);
      headers.delete('X-Content-Type-Options');
      return new Response(answer.body, { status: answer.status, headers });
    }),
  },
  {
    name: 'a number in quotation marks is taken',
    law: 'D7',
    wrap: on('POST', () => async (plea) => {
      const authorization = plea.request.headers.get('Authorization');
      if (authorization === null || !plea.body.includes('"CPU":"2"')) return plea.door(plea.request);
      return plea.door(again(plea, authorization, plea.body.replace('"CPU":"2"', '"CPU":2')));
    }),
  },
  {
    name: 'a handler that throws',
    law: 'S1',
    wrap: mutated(({ cloud }) =>
      patch(cloud.flow, 'delete', () => () => {
        throw new TypeError('undefined is not a service');
      }),
    ),
  },
  ...RIVALS,
  ...LATENT,
];
