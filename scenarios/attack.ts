/** What an attacker sends: requests of every shape, most of them near enough to honest ones to get past the first check. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Contract } from '../contracts/contract.ts';
import { operationsOf } from '../contracts/routes.ts';

export interface Attack {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A character for each byte, so that a report can be read. */
  readonly body: string | null;
}

interface Operation {
  readonly method: string;
  /** With parameters as `{name}`. */
  readonly path: string;
}

const basic = (session: string | Uint8Array): string => `Basic ${Buffer.from(session).toString('base64')}`;

// ---- paths --------------------------------------------------------------------------------------------------------

/** What stands where an id should: numbers out of range, other alphabets, escapes, and names that objects inherit. */
export const HOSTILE_IDS = [
  '-1',
  '2147483648',
  '9223372036854775808',
  '1'.repeat(400),
  '1e3',
  '0x10',
  '1_0',
  '+1',
  '%D9%A3',
  '%EF%BC%91',
  '%00',
  '0%00',
  '%2e%2e',
  '..%2f..%2f..%2fetc%2fpasswd',
  '%',
  '%zz',
  '%ff%fe',
  '%ed%a0%80',
  '0%2F0',
  '%20',
  '0;x=1',
  '*',
  ':id',
  '{id}',
  '<script>',
  '%3Cscript%3E',
  '%F0%9F%98%80',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'null',
  'a'.repeat(5000),
];

/** Ids that the default world has, or will have. */
const HONEST_IDS = [
  '0',
  '1',
  '7',
  '8',
  'FAAS',
  '39cfccd6-9475-4e99-aa88-9a2066ac3976',
  'e60558d6-91c3-4196-abad-46079a0e3c61',
  'vdu01',
  'fa8869e3-cc5f-4a5e-8520-932226d804e1',
  'metrics=vm_cpu_perc&since=1504011287&until=1504012281&step=14',
  'f1',
];

/** OpenNebula's own protocols, which no contract describes. */
const OPENNEBULA: readonly Operation[] = [
  'POST /RPC2',
  'GET /service',
  'GET /service/{id}',
  'DELETE /service/{id}',
  'PUT /service/{id}',
  'POST /service/{id}/action',
  'POST /service/{id}/scale',
  'POST /service/{id}/role/FAAS/action',
  'POST /service/{id}/role_action',
  'POST /service_pool/purge_done',
  'GET /service_template',
  'POST /service_template',
  'GET /service_template/{id}',
  'PUT /service_template/{id}',
  'DELETE /service_template/{id}',
  'POST /service_template/{id}/action',
].map((operation) => {
  const [method = '', path = ''] = operation.split(' ');
  return { method, path };
});

const STRANGE_PATHS = [
  '/',
  '//',
  '///serverless-runtimes',
  '/serverless-runtimes//',
  '/*',
  '/%2f',
  '/;',
  '/ws/x',
  '/%',
];

const STRANGE_QUERIES = [
  '?',
  '?%',
  '?=&=&&',
  '?a=%zz&%ff=%00',
  '?limit=-1',
  `?limit=${'9'.repeat(500)}&offset=${'9'.repeat(500)}`,
  '?limit=1e9&offset=0x1',
  '?fields=__proto__,constructor',
  '?__proto__=1&constructor=2',
  '?after=-1',
  '?after=99999999999999999999&limit=0',
  '?since=1&until=2&step=0&metrics=vm_cpu_perc',
  '?since=-9e99&until=9e99&step=1e-9&metrics=vm_cpu_perc,vm_cpu_perc',
  '?metrics=%7B%7D,a%00b,,&since=NaN&until=Infinity&step=1',
  `?${'a=1&'.repeat(3000)}`,
  `?${'metrics=vm_cpu_perc&'.repeat(300)}`,
  '?#',
];

const hostileId = fc.oneof(fc.constantFrom(...HOSTILE_IDS), fc.webSegment());
const honestId = fc.constantFrom(...HONEST_IDS);

const filled = (template: string, id: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(...template.split('/').map((segment) => (segment.startsWith('{') ? id : fc.constant(segment))))
    .map((segments) => segments.join('/'));

const query = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constantFrom(...STRANGE_QUERIES) },
  { weight: 1, arbitrary: fc.webQueryParameters().map((text) => `?${text}`) },
);

function targets(paths: readonly string[]): fc.Arbitrary<string> {
  const id = fc.oneof(honestId, hostileId);
  const path = fc.constantFrom(...paths).chain((template) => filled(template, id));
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(path, query).map(([whole, end]) => whole + end) },
    { weight: 1, arbitrary: fc.constantFrom(...STRANGE_PATHS) },
    { weight: 1, arbitrary: fc.webPath().map((text) => `/${text}`) },
  );
}

// ---- headers ------------------------------------------------------------------------------------------------------

/** @param token one that is active */
function headers(token: string): fc.Arbitrary<Readonly<Record<string, string>>> {
  const authorization = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('oneadmin:opennebula', 'alice:alice', 'bob:bob').map(basic) },
    { weight: 4, arbitrary: fc.constant(`bearer ${token}`) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        '',
        'Basic',
        'Basic :',
        'basic YTpi',
        'Basic YTpi YTpi',
        'Basic ====',
        'Bearer',
        'bearer a b',
        'Digest username="alice"',
        'Negotiate \xff\xfe',
        basic('alice'),
        basic(':'),
        basic('oneadmin:'),
        basic('alice:alice:alice'),
        basic('a'.repeat(8000)),
        basic(Uint8Array.of(0xff, 0xfe, 0x3a, 0x80)),
        basic('\0:\0'),
        `bearer ${token}x`,
        `bearer ${'x'.repeat(8000)}`,
      ),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map(basic) },
  );
  const type = fc.constantFrom(
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data; boundary=',
    'text/xml',
    'application/octet-stream; charset=utf-16',
    '',
    'x'.repeat(4000),
  );
  const others = fc.dictionary(
    fc.constantFrom('Origin', 'Accept', 'Content-Encoding', 'X-Forwarded-For', 'If-None-Match', 'Range', 'Expect'),
    fc.constantFrom('', '*', 'gzip', 'null', 'bytes=0-', 'https://example.org', '\xe9', 'a, b; c="', '0'.repeat(2000)),
    { maxKeys: 3 },
  );
  return fc
    .record({ Authorization: authorization, 'Content-Type': type, others }, { requiredKeys: ['others'] })
    .map(({ others: more, ...known }) => ({ ...more, ...known }));
}

// ---- bodies -------------------------------------------------------------------------------------------------------

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Bodies that are no JSON, or JSON that nobody means. */
export const HOSTILE_BODIES: Readonly<Record<string, Uint8Array>> = {
  nothing: bytes(''),
  blanks: bytes(' \n\t'),
  'half an object': bytes('{"SERVERLESS_RUNTIME":'),
  'a word': bytes('NaN'),
  null: bytes('null'),
  'a number': bytes('-1e400'),
  'a list': bytes('[[],{}]'),
  'many lists': bytes('['.repeat(100_000)),
  'many lists, closed': bytes('['.repeat(100_000) + ']'.repeat(100_000)),
  'many objects': bytes('{"a":'.repeat(100_000)),
  'lists, one too deep': bytes('['.repeat(101) + ']'.repeat(101)),
  'a NUL': bytes('{"action":"free\0ze"}'),
  'an escaped NUL': bytes('{"SERVERLESS_RUNTIME":{"NAME":"\\u0000","FAAS":{"FLAVOUR":"Function"}}}'),
  'a lone surrogate': bytes('{"SERVERLESS_RUNTIME":{"NAME":"\\ud800","FAAS":{"FLAVOUR":"Function"}}}'),
  'a lone surrogate for a user': bytes('{"username":"\\udfff","password":"\\ud800"}'),
  'keys that come twice': bytes('{"action":"freeze","action":"resume","SERVERLESS_RUNTIME":1,"SERVERLESS_RUNTIME":{}}'),
  'keys that objects inherit': bytes(
    '{"__proto__":{"action":"freeze"},"constructor":{"prototype":{}},"SERVERLESS_RUNTIME":{"__proto__":{"FAAS":{}}}}',
  ),
  'no UTF-8': Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d),
  'UTF-16': Buffer.from('\ufeff{"a":1}', 'utf16le'),
  'a byte order mark': bytes('\ufeff{"SERVERLESS_RUNTIME":{}}'),
  gzip: gzipSync('{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function"}}}'),
  'a form': bytes('a=%zz&b'),
  'a bomb of entities': bytes(
    `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${[...'bcdefgh']
      .map((name, i) => `<!ENTITY ${name} "${`&${'abcdefg'[i]};`.repeat(10)}">`)
      .join('')}]><methodCall><methodName>&h;</methodName></methodCall>`,
  ),
  'an external entity': bytes(
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><methodCall><methodName>&a;</methodName></methodCall>',
  ),
  'many elements': bytes('<a>'.repeat(100_000)),
  'half a call': bytes('<methodCall><methodName>one.vm.info</methodName>'),
};

/** A text of a length, as a value that a server might keep. */
const long = fc.constantFrom('x'.repeat(70_000), '9'.repeat(400), 'é'.repeat(300));
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    -1,
    1,
    0.5,
    1e308,
    -1e308,
    2 ** 31,
    2 ** 53,
    2 ** 63,
    true,
    null,
    '',
    '0',
    '-1',
    '\0',
    '"',
    ']]>',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  long,
);
const value = fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });
const partial = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] });
const anyOr = (honest: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: honest }, { weight: 1, arbitrary: value });

const part = partial<Record<string, unknown>>({
  FLAVOUR: anyOr(fc.constantFrom('Function', 'Function-Data', 'nature', 'FAILED_DEPLOY', 'DenyVMTemplate')),
  CPU: anyOr(fc.constantFrom(1, 2, 3)),
  MEMORY: anyOr(fc.constantFrom(128, 256)),
  DISK_SIZE: anyOr(fc.constantFrom(1024, 2048)),
  STATE: value,
  VM_ID: value,
  ENDPOINT: value,
});
const runtime = fc.record({
  SERVERLESS_RUNTIME: anyOr(
    partial<Record<string, unknown>>({
      NAME: anyOr(fc.constant('name')),
      FAAS: anyOr(part),
      DAAS: anyOr(part),
      SCHEDULING: anyOr(partial({ REQUIREMENTS: value, POLICY: value })),
      DEVICE_INFO: anyOr(partial({ LATENCY_TO_PE: value, GEOGRAPHIC_LOCATION: value })),
      ID: value,
      SERVICE_ID: value,
    }),
  ),
});
const action = fc.record({
  action: anyOr(
    fc.record({
      perform: anyOr(fc.constantFrom('instantiate', 'recover', 'chown', 'chmod', 'rename', 'clone', 'add_role', 'x')),
      params: anyOr(partial({ name: value, octet: value, merge_template: value, delete: value, role: value })),
    }),
  ),
});
const control = fc.oneof(
  partial({ action: anyOr(fc.constantFrom('freeze', 'advance', 'step', 'scale', 'resume')), ms: value, n: value }),
  partial({
    selector: anyOr(partial({ layer: anyOr(fc.constant('vm')), action: value, vm: value, name: value })),
    trigger: anyOr(partial({ skip: value, times: value, probability: value })),
    effect: anyOr(partial({ do: anyOr(fc.constantFrom('fail', 'delay', 'stick')), ms: value, message: value })),
  }),
);
const login = partial({
  username: anyOr(fc.constantFrom('sonata', 'demo', '__proto__')),
  password: anyOr(fc.constantFrom('1234', 'demo')),
});
const json = fc.oneof(runtime, action, control, login, value).map((body) => bytes(JSON.stringify(body)));

/** Calls of methods that exist, with parameters of some kind. */
function calls(methods: readonly string[]): fc.Arbitrary<Uint8Array> {
  const escaped = (text: string): string =>
    text.replace(/[&<>]/g, (each) => `&#${each.charCodeAt(0)};`).replace(/[\p{Cc}\p{Surrogate}\ufffe\uffff]/gu, ' ');
  const texts = [
    '',
    'NAME=x',
    'NAME="x" CPU=1 MEMORY=128',
    '<TEMPLATE><NAME>x</NAME></TEMPLATE>',
    'A=[B=',
    '"',
    'QUOTA',
  ];
  const param = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(0, 1, 2, 5, -1, -2, -3, 99, 2_147_483_647, -2_147_483_648).map((n) => `<i4>${n}</i4>`),
    },
    {
      weight: 3,
      arbitrary: fc
        .oneof(fc.constantFrom(...texts), fc.string({ maxLength: 12 }))
        .map((text) => `<string>${escaped(text)}</string>`),
    },
    { weight: 1, arbitrary: fc.boolean().map((on) => `<boolean>${on ? 1 : 0}</boolean>`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '<double>1e308</double>',
        '<array><data><value><i4>1</i4></value></data></array>',
        '<struct></struct>',
        '<nil/>',
        '<i4>2147483648</i4>',
        '<base64>AAA=</base64>',
        '<i8>9223372036854775807</i8>',
      ),
    },
  );
  const session = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('oneadmin:opennebula', 'alice:alice') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', ':', 'alice', 'alice:', ':alice', 'oneadmin:opennebula:x', 'x'.repeat(9000)),
    },
  );
  return fc
    .tuple(fc.constantFrom(...methods), session, fc.array(param, { maxLength: 7 }))
    .map(([method, who, params]) =>
      bytes(
        `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${[
          `<string>${who}</string>`,
          ...params,
        ]
          .map((each) => `<param><value>${each}</value></param>`)
          .join('')}</params></methodCall>`,
      ),
    );
}

// ---- the whole ----------------------------------------------------------------------------------------------------

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND', 'X-Y'];

interface Known {
  readonly contracts: readonly Contract[];
  /** Methods of XML-RPC. */
  readonly methods: readonly string[];
  /** An active token. */
  readonly token: string;
}

/** These answer when something happens, and never else; tests of their own take odd values to them. */
const WAITING: ReadonlySet<string> = new Set(['/_onesim/journal/wait', '/_onesim/journal/events']);

/** All that the stand-in serves. */
export const operationsServed = (contracts: readonly Contract[]): Operation[] => [
  ...contracts.flatMap(operationsOf).filter(({ path }) => !WAITING.has(path)),
  ...OPENNEBULA,
];

export function attacks({ contracts, methods, token }: Known): fc.Arbitrary<Attack> {
  const operations = operationsServed(contracts);
  const paths = [...new Set(operations.map(({ path }) => path))];
  const body = fc.oneof(
    { weight: 6, arbitrary: json },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(HOSTILE_BODIES)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    { weight: 2, arbitrary: fc.constant(null) },
  );
  const anything = fc.record({
    method: fc.oneof(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), fc.constantFrom(...METHODS)),
    target: targets(paths),
    headers: headers(token),
    body,
  });
  // Past the first checks: what is documented, by someone who may.
  const plausible = fc.constantFrom(...operations).chain(({ method, path }) => {
    const [, json] = BODIES_BY_PATH.find(([pattern]) => pattern.test(path)) ?? [/^/, body];
    const isGatekeeper = /^(\/api\/v2)?\/(functions|sessions)/.test(path);
    const users = ['oneadmin:opennebula', 'alice:alice', 'alice:alice', 'bob:bob'].map(basic);
    return fc.record({
      method: fc.constant(method),
      target: fc.tuple(filled(path, honestId), query).map(([whole, end]) => whole + end),
      headers: fc.record({ Authorization: fc.constantFrom(...(isGatekeeper ? [`bearer ${token}`] : users)) }),
      body: json,
    });
  });
  const rpc = fc.record({
    method: fc.constant('POST'),
    target: fc.constant('/RPC2'),
    headers: fc.constant({}),
    body: calls(methods),
  });
  return fc
    .oneof(anything, { weight: 2, arbitrary: plausible }, rpc)
    .map((attack) => ({ ...attack, body: attack.body && Buffer.from(attack.body).toString('latin1') }));
}

const asJson = (value: unknown): Uint8Array => bytes(JSON.stringify(value));

/** The first that fits. */
const BODIES_BY_PATH: readonly (readonly [RegExp, fc.Arbitrary<Uint8Array>])[] = [
  [/runtimes/, runtime.map(asJson)],
  [/_onesim/, control.map(asJson)],
  [/sessions/, login.map(asJson)],
  [/service/, fc.oneof(action, value).map(asJson)],
];
