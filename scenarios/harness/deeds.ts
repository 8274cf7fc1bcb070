/** What clients do in a generated scenario, family by family. */
import fc from 'fast-check';
import { loadContracts } from '../../contracts/contract.ts';
import { edged, flawed } from './bodies.ts';
import { AS_MADE } from './concurrency/crowds.ts';
import type { Specification, Step } from './scenario.ts';

/** What a generated step may do, before it has a name. `n` chooses a runtime among those there are. */
export type Deed = (id: string, runtimes: readonly string[], n: number) => Step | undefined;

export type Families<T> = Readonly<Record<string, fc.Arbitrary<T>>>;

const FLAVOURS = fc.oneof(
  { weight: 6, arbitrary: fc.constant('Function') },
  { weight: 1, arbitrary: fc.constant('nature') },
);

const sizes = fc.record(
  {
    CPU: fc.constantFrom(1, 2, 3, 4),
    MEMORY: fc.constantFrom(64, 128, 256, 512),
    DISK_SIZE: fc.constantFrom(512, 1024, 2048),
  },
  { requiredKeys: [] },
);
const wholeSizes = fc.record({
  CPU: fc.constantFrom(1, 2, 3, 4),
  MEMORY: fc.constantFrom(64, 128, 256, 512),
  DISK_SIZE: fc.constantFrom(1024, 2048, 4096),
});
const daas = fc.option(fc.constant({ FLAVOUR: 'Data' }), { nil: undefined, freq: 3 });
const name = fc.option(fc.constantFrom('alpha', 'beta', 'gamma delta', 'é'), { nil: undefined, freq: 3 });

const given = (specification: Readonly<Record<keyof Specification, unknown>> | object): Specification =>
  Object.fromEntries(Object.entries(specification).filter(([, value]) => value !== undefined)) as Specification;

export const wishes = fc
  .record({ faas: fc.tuple(sizes, FLAVOURS).map(([size, FLAVOUR]) => ({ FLAVOUR, ...size })), daas, name })
  .map(({ faas, daas: data, name: called }) =>
    given({ faas, daas: faas.FLAVOUR === 'Function' ? data : undefined, name: called }),
  );

const [engine] = await loadContracts();
const RUNTIME = engine?.operations.find(({ method }) => method === 'POST')?.requestSchema;
if (RUNTIME === undefined) throw new Error('the contract has no body of a creation');

const FAAS = { FLAVOUR: 'Function', ...AS_MADE };

/** Bodies that the schema refuses. */
const INVALID: readonly unknown[] = [
  ...flawed(RUNTIME, { SERVERLESS_RUNTIME: { FAAS, DAAS: { FLAVOUR: 'Data' } } }),
  null,
  [],
];
/** Bodies that keep the schema, and stand at the edge of what it takes. */
const AT_THE_EDGE = edged(RUNTIME, { SERVERLESS_RUNTIME: { FAAS } }, (path) => !/FLAVOUR|DAAS/.test(path));

const BAD_JSON = ['', '{', '{"SERVERLESS_RUNTIME":', 'NaN', '{"a":1}}', "{'a':1}"] as const;

const onRuntime =
  (make: (id: string, ref: string) => Step): Deed =>
  (id, runtimes, n) => {
    const ref = runtimes[n % runtimes.length];
    return ref === undefined ? undefined : make(id, ref);
  };

const auths = fc.constantFrom('none', 'wrong', 'scheme');

/** The families of commands; those that are refused make no runtime, and bind no name. */
export const DEEDS: Families<Deed> = {
  get: fc.constant(onRuntime((id, ref) => ({ id, op: 'get', ref }))),
  put: fc
    .record({ faas: wholeSizes, called: name })
    .map(({ faas, called }) => onRuntime((id, ref) => ({ id, op: 'put', ref, args: given({ faas, name: called }) }))),
  putAgain: fc.constant(
    onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas: { CPU: 2, MEMORY: 256, DISK_SIZE: 2048 } } })),
  ),
  putBoth: fc
    .tuple(wholeSizes, wholeSizes)
    .map(([faas, data]) =>
      onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas, daas: { ...data, FLAVOUR: 'Data' } } })),
    ),
  putScheduling: fc
    .constantFrom('ZONE_1 != "x"', 'FREE_CPU > 1', '')
    .map((REQUIREMENTS) =>
      onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas: AS_MADE, scheduling: { REQUIREMENTS } } })),
    ),
  putDevice: fc
    .constantFrom(0, 5, 7.5)
    .map((LATENCY_TO_PE) =>
      onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas: AS_MADE, deviceInfo: { LATENCY_TO_PE } } })),
    ),
  putEdge: fc.constantFrom(...AT_THE_EDGE).map((send) => onRuntime((id, ref) => ({ id, op: 'put', ref, send }))),
  putInvalid: fc.constantFrom(...INVALID).map((send) => onRuntime((id, ref) => ({ id, op: 'put', ref, send }))),
  putShrink: fc.constant(
    onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas: { CPU: 1, MEMORY: 64, DISK_SIZE: 1 } } })),
  ),
  delete: fc.constant(onRuntime((id, ref) => ({ id, op: 'delete', ref }))),
  foreign: fc.constantFrom('get', 'put', 'delete').map((op) =>
    onRuntime(
      (id, ref) =>
        ({
          id,
          op,
          ref,
          as: 'other',
          ...(op === 'put' ? { args: { name: 'mine', faas: { CPU: 2, MEMORY: 256, DISK_SIZE: 2048 } } } : {}),
        }) as Step,
    ),
  ),
  admin: fc
    .tuple(fc.constantFrom('get', 'put'), wholeSizes)
    .map(([op, faas]) =>
      onRuntime((id, ref) => ({ id, op, ref, as: 'admin', ...(op === 'put' ? { args: { faas } } : {}) }) as Step),
    ),
  stranger: fc.tuple(auths, fc.constantFrom('get', 'put', 'delete', 'create')).map(
    ([auth, op]): Deed =>
      (id, runtimes, n) => {
        if (op === 'create') return { id, op, auth };
        const ref = runtimes[n % runtimes.length] ?? 'none';
        return { id, op, ref, auth } as Step;
      },
  ),
  nobody: fc
    .tuple(fc.constantFrom('none', 'service'), fc.constantFrom('get', 'put', 'delete'))
    .map(([kind, op]) =>
      onRuntime((id, ref) => ({ id, op, ref: kind === 'none' ? 'none' : `${ref}.service` }) as Step),
    ),
  createInvalid: fc.constantFrom(...INVALID).map(
    (send): Deed =>
      (id) => ({ id, op: 'create', send }),
  ),
  createUnknown: fc.constantFrom('No such flavour', 'FAILED_DEPLOY', 'DenyVMTemplate', 'function').map(
    (FLAVOUR): Deed =>
      (id) => ({ id, op: 'create', args: { faas: { FLAVOUR } } }),
  ),
  badJson: fc.tuple(fc.constantFrom(...BAD_JSON), fc.boolean(), fc.constantFrom('good', 'wrong', 'none')).map(
    ([sendText, creates, auth]): Deed =>
      (id, runtimes, n) => {
        if (creates) return { id, op: 'create', sendText, auth } as Step;
        return { id, op: 'put', ref: runtimes[n % runtimes.length] ?? 'none', sendText, auth } as Step;
      },
  ),
  public: fc.tuple(fc.constantFrom('schema', 'version', 'config'), fc.constantFrom('good', 'none', 'wrong')).map(
    ([op, auth]): Deed =>
      (id) =>
        ({ id, op, auth }) as Step,
  ),
  advance: fc.constantFrom(100, 1_000, 5_000).map(
    (ms): Deed =>
      (id) => ({ id, op: 'advance', ms }),
  ),
  advanceLong: fc.constantFrom(30_000, 120_000).map(
    (ms): Deed =>
      (id) => ({ id, op: 'advance', ms }),
  ),
  heal: fc.constant<Deed>((id) => ({ id, op: 'heal' })),
};
