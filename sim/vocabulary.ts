/** What a fault may name in a world: actions, states, users, hosts, virtual machines and metrics that there are. */
import type { Vocabulary } from './faults/flaws.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Cloud } from './one/cloud.ts';
import { SERVICE_STATES } from './one/flow/service.ts';
import { HOST_STATES } from './one/resources/host.ts';
import { STATES, STEPS } from './one/vm/lifecycle.ts';

const ACTIONS = [...new Set(Object.values(STEPS).map((step) => step.action))];

const STATES_OF = {
  vm: Object.keys(STATES),
  host: Object.keys(HOST_STATES),
  service: SERVICE_STATES,
} as const;

/** Whose states the selector of a layer means. */
const CONCERNED = { vm: 'vm', host: 'host', oneflow: 'service' } as const;

/**
 * @param operations what an API, or any, can be asked for
 * @param apis names of all
 */
export function vocabularyOf(
  cloud: Cloud,
  metrics: Metrics,
  operations: (api: string | undefined) => Iterable<string>,
  apis: readonly string[],
): Vocabulary {
  const namesIn = (pool: Iterable<{ readonly name: string }>): string[] => [...pool].map(({ name }) => name);
  return {
    states: (of) => STATES_OF[of],
    apis,
    isPossible: (part, id) => {
      const pool = part === 'vm' ? cloud.vms : cloud.documents;
      return id >= pool.nextId || pool.find(id) !== undefined;
    },
    names(part, selector) {
      const { layer } = selector;
      switch (part) {
        case 'operation':
          if (layer === 'vm') return { closed: true, words: ACTIONS };
          if (layer !== 'api' && layer !== 'transport') return undefined;
          // A path may be given as it is requested, and then it may be any.
          return { closed: false, words: operations(selector.api) };
        case 'state':
          return layer in CONCERNED
            ? { closed: true, words: STATES_OF[CONCERNED[layer as keyof typeof CONCERNED]] }
            : undefined;
        case 'user':
          return { closed: false, words: namesIn(cloud.users) };
        case 'host':
          return { closed: false, words: namesIn(cloud.hosts) };
        case 'name':
          return { closed: false, words: namesIn(layer === 'oneflow' ? cloud.documents : cloud.vms) };
        case 'metric':
          return { closed: true, words: metrics.pushedNames() };
        default:
          return undefined;
      }
    },
  };
}
