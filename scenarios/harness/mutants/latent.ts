/** Seeded bugs whose answers look right: they show beside the VM itself, once all has been healed, or in another run. */
import type { Mutant } from './mutant.ts';
import { again, answering, functionsOf, mutated, on, patch, rewritten } from './mutated.ts';

/** What a VM that rests is woken into. */
const WAKING: ReadonlySet<string> = new Set(['BOOT_POWEROFF', 'BOOT_SUSPENDED']);

const TIMES = 2;
/** More than any host has. */
const MANY_CPUS = 64;

/** The body of a request with other MEMORY. */
function remembering(body: string): string {
  return body.replace(/("MEMORY":)(\d+)/g, (_, key, size) => `${key}${Number(size) * TIMES}`);
}

export const LATENT: readonly Mutant[] = [
  {
    name: 'ENDPOINT is of a network that is not there',
    law: 'R7',
    wrap: answering('POST GET PUT', (runtime) => {
      for (const fields of functionsOf(runtime)) fields.ENDPOINT = `192.0.2.${Number(fields.VM_ID) % 250}`;
    }),
  },
  {
    name: 'a VM has twice the memory that is answered',
    law: 'R5',
    wrap: on('POST GET PUT', () => async (plea) => {
      const authorization = plea.request.headers.get('Authorization');
      const other = remembering(plea.body);
      const request = other === plea.body || authorization === null ? plea.request : again(plea, authorization, other);
      return rewritten(await plea.door(request), (runtime) => {
        for (const fields of functionsOf(runtime)) fields.MEMORY = Number(fields.MEMORY) / TIMES;
      });
    }),
  },
  {
    name: 'a host is over-committed while a VM boots',
    law: 'R2',
    wrap: mutated(({ cloud }) => {
      const own = new Map<number, number>();
      patch(cloud.driver, 'enter', (enter) => (vm, state) => {
        const before = own.get(vm.id) ?? vm.cpu;
        own.delete(vm.id);
        if (state === 'BOOT') own.set(vm.id, before);
        vm.cpu = state === 'BOOT' ? MANY_CPUS : before;
        enter(vm, state);
      });
    }),
  },
  {
    name: 'a creation makes a VM that nobody has',
    law: 'R4',
    wrap: on('POST', (simulator) => async ({ request, door }) => {
      const answer = await door(request);
      const { cloud } = simulator.world;
      if (answer.status === 201) cloud.run(cloud.root, 'one.vm.allocate', 'CPU=0.1\nVCPU=1\nMEMORY=64', false);
      return answer;
    }),
  },
  {
    name: 'a header tells the credentials',
    law: 'A7',
    wrap: on('GET PUT DELETE', () => async ({ request, door }) => {
      const answer = await door(request);
      const headers = new Headers(answer.headers);
      headers.set('X-Debug', `${request.headers.get('Authorization')}`);
      return new Response(answer.body, { status: answer.status, headers });
    }),
  },
  {
    name: 'what has failed is tried again by itself',
    law: 'L7',
    wrap: mutated(({ cloud, clock }) =>
      patch(cloud.driver, 'enter', (enter) => (vm, state) => {
        enter(vm, state);
        if (state !== 'BOOT_FAILURE') return;
        const retry = (): void => {
          if (vm.state === state) cloud.driver.enter(vm, 'BOOT');
        };
        clock.sleep(RETRY_MS, 'another try').then(retry);
      }),
    ),
  },
  {
    name: 'what rests is not woken',
    law: 'L11',
    wrap: mutated(({ cloud }) =>
      patch(cloud.driver, 'enter', (enter) => (vm, state) => {
        if (!WAKING.has(state)) enter(vm, state);
      }),
    ),
  },
  {
    name: 'an advance draws chance',
    law: 'D4',
    twin: true,
    wrap: mutated(({ cloud, clock }) =>
      patch(clock, 'advanceTo', (advanceTo) => async (...args) => {
        const moved = await advanceTo(...args);
        for (const vm of cloud.vms) vm.steps++;
        return moved;
      }),
    ),
  },
];

/** After a VM has failed. */
const RETRY_MS = 10_000;
