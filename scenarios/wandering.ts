/** Random runs over every API, with faults, on a clock that stands still between requests: what a client may do, as data. */
import fc from 'fast-check';
import type { Simulator } from '../sim/index.ts';

/** A request, or time that passes. */
export type Step = { readonly passMs: number } | Ask;

interface Ask {
  readonly call: string;
  readonly user?: string;
  readonly body?: unknown;
  /** It is answered only as time passes. */
  readonly waits?: true;
}

const runtime = (faas: object): object => ({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', ...faas } } });

const xmlrpc = (method: string, ...params: (string | number | boolean)[]): Ask => {
  const values = ['oneadmin:opennebula', ...params].map((value) => {
    const type = { string: 'string', number: 'int', boolean: 'boolean' }[typeof value as 'string'];
    return `<param><value><${type}>${value === true ? 1 : value === false ? 0 : value}</${type}></value></param>`;
  });
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values.join('')}</params></methodCall>`;
  return { call: 'POST /RPC2', body };
};

const oneflow = (call: string, body?: object): Ask => ({ call, user: 'oneadmin:opennebula', body });

const vm = fc.nat(12);
/** Ids of documents, as they come: the service first, the runtime that it is for after it. */
const service = fc.constantFrom(7, 9, 11, 13);
const runtimeId = fc.constantFrom(8, 10, 12);
const ROLE = 'FAAS';

/** What breaks: at least one of each layer, and those first that leave something behind. */
const FAULTS = [
  { selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'fail', message: 'No KVM' }, budget: { hits: 2 } },
  { selector: { layer: 'vm' }, effect: { do: 'late-failure', afterMs: 30_000 }, budget: { hits: 1 } },
  { selector: { layer: 'vm', operation: 'shutdown' }, effect: { do: 'zombie' } },
  { selector: { layer: 'vm', host: 'host1' }, effect: { do: 'unknown' }, budget: { forMs: 100_000 } },
  { selector: { layer: 'vm', operation: 'monitor' }, effect: { do: 'lost-monitoring' } },
  { selector: { layer: 'vm' }, effect: { do: 'done-twice' }, budget: { hits: 3 } },
  { selector: { layer: 'host', host: 'host0' }, effect: { do: 'down' }, budget: { forMs: 200_000 } },
  { selector: { layer: 'host', host: 'host1' }, effect: { do: 'flapping', upMs: 60_000, downMs: 20_000 } },
  { selector: { layer: 'host', host: 'host*' }, effect: { do: 'capacity', factor: 0.1 } },
  { selector: { layer: 'host', host: 'host0' }, effect: { do: 'degraded', factor: 3 } },
  { selector: { layer: 'oneflow' }, effect: { do: 'warning' }, budget: { forMs: 90_000 } },
  { selector: { layer: 'oneflow' }, effect: { do: 'lost' }, budget: { forMs: 90_000 } },
  { selector: { layer: 'oneflow' }, effect: { do: 'fail-deploying' }, budget: { hits: 1 } },
  { selector: { layer: 'api', api: 'engine' }, effect: { do: 'answer', status: 503 }, budget: { hits: 2 } },
  { selector: { layer: 'api', api: 'engine' }, effect: { do: 'stale-read', reads: 2 } },
  { selector: { layer: 'metrics' }, effect: { do: 'gap' }, budget: { forMs: 90_000 } },
  { selector: { layer: 'metrics', metric: 'vm_cpu_perc' }, effect: { do: 'spike', factor: 9 } },
  { selector: { layer: 'websocket' }, effect: { do: 'drop' } },
];

const LOGIN: Ask = { call: 'POST /sessions', body: { username: 'sonata', password: '1234' } };

/** By what they do; each may be refused, which is an answer too. */
const ASKS: Readonly<Record<string, fc.Arbitrary<Ask>>> = {
  create: fc.record({
    call: fc.constant('POST /serverless-runtimes'),
    user: fc.constantFrom('alice:alice', 'bob:bob'),
    body: fc.constantFrom(runtime({}), runtime({ CPU: 2, MEMORY: 256 }), { SERVERLESS_RUNTIME: {} }),
  }),
  resize: runtimeId.map((id) => ({
    call: `PUT /serverless-runtimes/${id}`,
    user: 'alice:alice',
    body: runtime({ CPU: 2, MEMORY: 200, DISK_SIZE: 2048 }),
    waits: true,
  })),
  remove: runtimeId.map((id) => ({ call: `DELETE /serverless-runtimes/${id}`, user: 'alice:alice', waits: true })),
  read: runtimeId.map((id) => ({ call: `GET /serverless-runtimes/${id}`, user: 'alice:alice' })),
  action: fc
    .tuple(
      fc.constantFrom('poweroff', 'resume', 'suspend', 'stop', 'undeploy', 'terminate', 'reboot', 'hold', 'release'),
      vm,
    )
    .map(([action, id]) => xmlrpc('one.vm.action', action, id)),
  instantiate: fc
    .tuple(fc.nat(4), fc.boolean())
    .map(([template, hold]) => xmlrpc('one.template.instantiate', template, '', hold, 'CPU=0.5\nNOTE="a b"', false)),
  capture: vm.map((id) => xmlrpc('one.vm.snapshotcreate', id, 'before')),
  disk: vm.map((id) => xmlrpc('one.vm.attach', id, 'DISK=[TYPE=fs,SIZE=64]')),
  nic: vm.map((id) => xmlrpc('one.vm.attachnic', id, 'NIC=[NETWORK=private]')),
  later: vm.map((id) => xmlrpc('one.vm.schedadd', id, 'SCHED_ACTION=[ACTION=poweroff,TIME="+300"]')),
  quota: fc
    .nat(3)
    .map((n) => xmlrpc('one.user.quota', 2, `VM=[CPU=${n + 1},MEMORY=-1,VMS=${n + 2},SYSTEM_DISK_SIZE=-1]`)),
  chown: vm.map((id) => xmlrpc('one.vm.chown', id, 2, -1)),
  network: fc.nat(3).map((n) => xmlrpc('one.vn.hold', n, 'LEASES=[IP=10.0.0.9]')),
  host: fc.tuple(fc.nat(1), fc.nat(2)).map(([id, status]) => xmlrpc('one.host.status', id, status)),
  user: fc.nat(3).map((n) => xmlrpc('one.user.login', 'alice', '', n * 100, -1)),
  service: fc
    .nat(3)
    .map((id) => oneflow(`POST /service_template/${id}/action`, { action: { perform: 'instantiate' } })),
  scale: fc
    .tuple(service, fc.integer({ min: 1, max: 3 }))
    .map(([id, cardinality]) => oneflow(`POST /service/${id}/scale`, { role_name: ROLE, cardinality, force: true })),
  undeploy: service.map((id) => oneflow(`DELETE /service/${id}`)),
  login: fc.constant(LOGIN),
  kpis: fc.constant({ call: 'GET /kpis' }),
  records: fc.constant({ call: 'GET /records/services', user: 'token' }),
  stream: fc.constant({
    call:
      'GET /functions/e60558d6-91c3-4196-abad-46079a0e3c61/vdu01/fa8869e3-cc5f-4a5e-8520-932226d804e1/synch-mon-data' +
      '/metrics=vm_cpu_perc&since=1504011287&until=1504012281&step=14',
    user: 'token',
  }),
  instance: fc.constant({
    call: 'POST /requests',
    user: 'token',
    body: { service_uuid: '4b6a8f1e-6d7b-4b0f-9a57-0d2f5f1c7e10' },
  }),
  metrics: fc.constant({ call: 'GET /metrics' }),
  fault: fc
    .tuple(
      fc.constantFrom(...FAULTS),
      fc.constantFrom({}, { probability: 0.5 }, { skip: 1 }, { window: { fromMs: 50_000 } }),
    )
    .map(([fault, trigger]) => ({ call: 'POST /_onesim/faults', body: { ...fault, trigger } })),
  waiting: fc.constant({
    call: 'POST /_onesim/faults',
    body: {
      selector: { layer: 'vm' },
      effect: { do: 'delay', ms: 20_000 },
      trigger: { after: { event: 'vm.POWEROFF', delayMs: 5_000 } },
    },
  }),
  heal: fc.integer({ min: 1, max: 6 }).map((n) => ({ call: `DELETE /_onesim/faults/f${n}` })),
};

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(1, 1_000, 16_000, 95_000, 400_000) }) },
  { weight: 1, arbitrary: ASKS.create as fc.Arbitrary<Ask> },
  { weight: 1, arbitrary: ASKS.fault as fc.Arbitrary<Ask> },
  { weight: 6, arbitrary: fc.oneof(...Object.values(ASKS)) },
);
/** Half as many to that many, the first of them a login. */
export const steps = (most: number): fc.Arbitrary<Step[]> =>
  fc.array(step, { minLength: Math.ceil(most / 2), maxLength: most, size: 'max' }).map((given) => [LOGIN, ...given]);

/** A client of one simulator, with the token that it was given last. */
export async function perform(simulator: Simulator, given: readonly Step[], token = { text: '' }): Promise<string[]> {
  const lines: string[] = [];
  for (const each of given) {
    const { clock } = simulator.world;
    if ('passMs' in each) {
      lines.push(JSON.stringify(await clock.advance(each.passMs)));
      continue;
    }
    const { call, user, body, waits } = each;
    const [method = '', path = ''] = call.split(' ');
    const answering = simulator.fetch(
      new Request(`http://127.0.0.1:1337${path}`, {
        method,
        headers: { Authorization: user === 'token' ? `bearer ${token.text}` : `Basic ${btoa(user ?? '')}` },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
    if (waits) await clock.advance(120_000);
    const answer = await answering;
    const text = await answer.text();
    if (call === 'POST /sessions') token.text = JSON.parse(text).token.access_token;
    lines.push(JSON.stringify({ at: clock.now, call, status: answer.status, headers: [...answer.headers], text }));
  }
  return lines;
}
