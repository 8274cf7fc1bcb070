import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { UNFURNISHED } from './furnishing.ts';
import { Client, descriptorOf, FUNCTION, INSTANCE, PACKAGE, refusal, SERVICE, TODAY, userGuide } from './testing.ts';
import { unzip, zip } from './zip.ts';

const contracts = await loadContracts();

type Fetch = (request: Request) => Promise<Response>;

async function start(maxBodyBytes = 4 * 2 ** 20) {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide, maxBodyBytes });
  const checked: Fetch = checkedFetch(fetch, contracts, world.config.deviations);
  const client = await Client.loggedIn(checked, 'demo', 'demo');
  const upload = (sent: Uint8Array, more: Record<string, string> = {}, field = 'package') => {
    const body = new FormData();
    body.set(field, new Blob([Buffer.from(sent)]), 'x.son');
    return client.send('POST', '/packages', { body, headers: { Authorization: `bearer ${client.token}`, ...more } });
  };
  return { client, upload, checked };
}

const bytes = (value: object | string): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : stringify(value));

/** More than half of what the descriptors of a package may have together. */
const MUCH = `a: ${'x'.repeat(150_000)}`;

/** A package of one service and its function, and what is to be otherwise in it: by path, null for no such file. */
function archive(name = 'other', more: Readonly<Record<string, object | string | null>> = {}): Uint8Array {
  const vnfd = { ...descriptorOf('vtc-vnf'), name: `${name}-vnf` };
  const part = { vnf_id: 'a', vnf_name: vnfd.name, vnf_vendor: vnfd.vendor, vnf_version: vnfd.version };
  const files: Record<string, object | string | null> = {
    'META-INF/MANIFEST.MF': {
      ...descriptorOf('sonata-demo-pd'),
      name,
      entry_service_template: `/service_descriptors/${name}.yml`,
      package_content: [
        { name: `/service_descriptors/${name}.yml`, 'content-type': 'application/sonata.service_descriptor' },
        { name: '/function_descriptors/vnf.yml', 'content-type': 'application/sonata.function_descriptor' },
      ],
    },
    [`service_descriptors/${name}.yml`]: { ...descriptorOf('sonata-demo-nsd'), name, network_functions: [part] },
    'function_descriptors/vnf.yml': vnfd,
    ...more,
  };
  const kept = Object.entries(files).flatMap(([path, content]) =>
    content === null ? [] : [[path, bytes(content)] as const],
  );
  return zip(new Map(kept));
}

/** An archive whose files are compressed, as a bomb's are. */
function packed(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const body = deflateRawSync(content);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(8, 4);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(body.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    parts.push(Buffer.from('PK\x03\x04'), facts, Buffer.from(name), body);
    directory.push(Buffer.from('PK\x01\x02\x14\0'), facts, tail, Buffer.from(name));
    offset += 30 + name.length + body.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(directory.length / 4, 8);
  end.writeUInt16LE(directory.length / 4, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const manifest = (more: object) => ({
  'META-INF/MANIFEST.MF': { ...descriptorOf('sonata-demo-pd'), name: 'other', ...more },
});

interface Shown {
  readonly uuid: string;
  readonly username: string;
}
const first = (body: unknown): Shown | undefined => (body as Shown[])[0];

describe('a package that is uploaded', () => {
  test('brings its service and its function into the catalogue', async () => {
    const { client, upload } = await start();
    const { status, headers, body } = await upload(archive(), { signature: 'signed' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ pd: { name: 'other' }, username: 'demo', status: 'active', signature: 'signed' });
    const { uuid, ...shown } = body as Shown & Record<string, unknown>;
    expect(shown['son-package-uuid']).toBe(shown.son_package_uuid);
    expect(headers.get('Location')).toBe(`http://gatekeeper.example:1337/packages/${uuid}`);
    expect((await client.get(`/packages/${uuid}`)).body).toMatchObject({ uuid, signature: 'signed' });
    expect((await client.get('/packages?name=other')).body).toMatchObject([{ uuid }]);
    expect((await client.get('/services?name=other')).body).toMatchObject([{ username: 'demo' }]);
    const functions = await client.get('/functions?name=other-vnf');
    expect(functions.body).toMatchObject([
      { status: 'active', username: 'demo', created_at: '2017-08-29T14:00:00.000+00:00', user_licence: 'public' },
    ]);
    expect((await client.get(`/functions/${first(functions.body)?.uuid}`)).status).toBe(200);
  });

  test('is downloaded as it was', async () => {
    const { client, upload, checked } = await start();
    const sent = archive();
    const { uuid } = (await upload(sent)).body as Shown;
    const headers = { Authorization: `bearer ${client.token}` };
    const answer = await checked(new Request(`http://x/packages/${uuid}/download`, { headers }));
    expect(answer.headers.get('Content-Type')).toBe('application/zip');
    expect(Buffer.from(await answer.arrayBuffer()).equals(sent)).toBe(true);
  });

  test('uses a function that is there already as it is', async () => {
    const { client, upload } = await start();
    const nsd = { ...descriptorOf('sonata-demo-nsd'), name: 'other' };
    const changed = { ...descriptorOf('vtc-vnf'), description: 'changed' };
    await upload(archive('other', { 'service_descriptors/other.yml': nsd, 'function_descriptors/vnf.yml': changed }));
    const { body } = await client.get('/functions?name=vtc-vnf');
    expect(body).toMatchObject([{ uuid: FUNCTION, username: 'sonata-1503933806' }]);
    expect(JSON.stringify(body)).not.toContain('changed');
  });

  test('cannot be uploaded twice', async () => {
    const { upload } = await start();
    await upload(archive());
    expect(await upload(archive())).toMatchObject(
      refusal(409, "Version 0.1 of package 'other' from vendor 'eu.sonata-nfv' already exists"),
    );
  });

  test('may state the md5 of its files, if it is right', async () => {
    const { upload } = await start();
    const nsd = stringify({ ...descriptorOf('sonata-demo-nsd'), name: 'other' });
    const md5 = createHash('md5').update(nsd).digest('hex');
    const stated = (sum: string) =>
      archive('other', {
        ...manifest({
          entry_service_template: '/service_descriptors/other.yml',
          package_content: [{ name: '/service_descriptors/other.yml', md5: sum }],
        }),
        'service_descriptors/other.yml': nsd,
      });
    expect((await upload(stated('0'.repeat(32)))).body).toMatchObject({
      error: { code: 400, message: expect.stringContaining(`the md5 of "/service_descriptors/other.yml" is ${md5}`) },
    });
    expect((await upload(stated(md5))).status).toBe(201);
  });
});

describe('an upload is refused', () => {
  test('without a package, whoever asks', async () => {
    const { client, upload } = await start();
    const missing = refusal(400, 'No package file specified: package is missing');
    expect(await client.send('POST', '/packages')).toMatchObject(missing);
    expect(await client.send('POST', '/packages', { body: 'x' })).toMatchObject(missing);
    const cut = { body: '--b\r\nContent-Disp', headers: { 'Content-Type': 'multipart/form-data; boundary=b' } };
    expect(await client.send('POST', '/packages', cut)).toMatchObject(missing);
    expect(await upload(archive(), {}, 'file')).toMatchObject(missing);
  });

  test('without a token', async () => {
    const { upload } = await start();
    expect(await upload(archive(), { Authorization: '' })).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
  });

  test('when it is larger than the server takes', async () => {
    const { upload } = await start(2000);
    expect((await upload(archive())).status).toBe(413);
  });

  const vnfd = (more: object) => ({
    'function_descriptors/vnf.yml': { ...descriptorOf('vtc-vnf'), name: 'other-vnf', ...more },
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['that is no archive', bytes('hello'), /^Error validating package: it is no ZIP archive$/],
    ['that leads elsewhere', archive('other', { '../../etc/passwd': 'x' }), /^Error validating.*leads out/],
    ['without a descriptor', archive('other', { 'META-INF/MANIFEST.MF': null }), /^Error validating.*MANIFEST/],
    ['with one that has no name', archive('other', { 'META-INF/MANIFEST.MF': 'a: 1' }), /vendor, name and version/],
    ['whose service is not there', archive('other', { 'service_descriptors/other.yml': null }), /entry_service/],
    ['that lists what it lacks', archive('other', manifest({ package_content: [{ name: '/a' }] })), /"\/a" is no file/],
    ['of a broken text', archive('other', { 'function_descriptors/vnf.yml': 'a: [' }), /vnf.yml: not YAML/],
    [
      'of too much text',
      archive('other', { 'function_descriptors/a.yml': MUCH, 'function_descriptors/b.yml': MUCH }),
      /descriptors of more than 262144 bytes/,
    ],
    [
      'of a bomb',
      archive('other', { 'function_descriptors/vnf.yml': `a: &a [${'x,'.repeat(9e3)}]\nb: [*a, *a]` }),
      /values/,
    ],
    [
      'of another form',
      archive('other', vnfd({ unknown: 1 })),
      /^Errors or warnings: .*vnf.yml: \/ must NOT .*"unknown"/,
    ],
    ['with an error', archive('other', vnfd({ virtual_links: [] })), /no virtual link connects anything/],
    [
      'with a warning alone',
      archive(
        'other',
        vnfd({
          connection_points: [
            ...['mgmt', 'input', 'output', 'more'].map((id) => ({ id, interface: 'ipv4', type: 'external' })),
          ],
        }),
      ),
      /^Errors or warnings: function_descriptors\/vnf.yml: connection point "more" is in no virtual link$/,
    ],
    [
      'whose service has other functions',
      archive('other', { 'function_descriptors/vnf.yml': null }),
      /there is no eu.sonata-nfv other-vnf 0.1/,
    ],
  ])('%s, and leaves nothing behind', async (_, sent, message) => {
    const { client, upload } = await start();
    const { status, body } = await upload(sent);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(message) } },
    });
    for (const list of ['packages', 'services', 'functions'])
      expect((await client.get(`/${list}`)).body).toHaveLength(1);
  });
});

test('whatever stands in the place of a part of a descriptor, the package is refused with a reason, or taken in', async () => {
  const { client, upload } = await start();
  const nest = (depth: number): unknown => (depth === 0 ? 'x' : [nest(depth - 1)]);
  const values = [null, 7, { toString: 1, valueOf: 1 }, [{ toString: 1 }], nest(40)];
  const named = (...keys: string[]) => values.flatMap((value) => keys.map((key) => ({ [key]: value })));
  const files = [
    ...named('vendor', 'name', 'version', 'entry_service_template', 'package_content').map(manifest),
    ...named('name', 'md5', 'content-type').map((entry) => manifest({ package_content: [entry] })),
    ...named('vendor', 'version', 'network_functions', 'licences').map((more) => ({
      'service_descriptors/other.yml': { ...descriptorOf('sonata-demo-nsd'), name: 'other', ...more },
    })),
    ...named('vnf_name', 'vnf_vendor', 'vnf_version').map((part) => ({
      'service_descriptors/other.yml': { ...descriptorOf('sonata-demo-nsd'), network_functions: [part] },
    })),
    ...named('virtual_links', 'licenses', 'monitoring_rules', 'virtual_deployment_units').map((more) => ({
      'function_descriptors/vnf.yml': { ...descriptorOf('vtc-vnf'), name: 'other-vnf', ...more },
    })),
    ...named('name', 'duration', 'duration_unit', 'notification').map((more) => ({
      'function_descriptors/vnf.yml': {
        ...descriptorOf('vtc-vnf'),
        monitoring_rules: [{ name: 'r', condition: 'vdu01:vm_up > 1', duration: 1, notification: [], ...more }],
      },
    })),
  ];
  for (const each of files) expect([201, 400, 409]).toContain((await upload(archive('other', each))).status);
  // Whatever has got in is shown.
  for (const list of ['packages', 'services', 'functions']) expect((await client.get(`/${list}`)).status).toBe(200);
}, 30_000);

describe('an upload is answered in bounded time', () => {
  test('though it lists one large file very often', async () => {
    const { upload } = await start();
    const listed = Array.from({ length: 3000 }, () => '{ name: /large, md5: x }');
    const text = `{ vendor: v, name: n, version: "1", entry_service_template: /large, package_content: [${listed}] }`;
    const { status, body } = await upload(
      packed({ 'META-INF/MANIFEST.MF': Buffer.from(text), large: Buffer.alloc(4 * 2 ** 20) }),
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { message: expect.stringMatching(/the md5 of "\/large" is .* and 2980 more$/) },
    });
  });

  test('though it unpacks to very much', async () => {
    const { upload } = await start();
    expect(await upload(packed({ a: Buffer.alloc(33 * 2 ** 20) }))).toMatchObject(
      refusal(400, 'Error validating package: the archive unpacks to more than 33554432 bytes'),
    );
  });

  test('though thousands of VDUs have to be told apart', async () => {
    const { upload } = await start();
    const units = Array.from({ length: 2000 }, (_, n) => `{ id: ${n} }`);
    const text = `{ vendor: v, name: n, version: "1", virtual_deployment_units: [${units}] }`;
    const { status, body } = await upload(archive('other', { 'function_descriptors/vnf.yml': text }));
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { message: expect.stringMatching(/and \d{4,} more$/) } });
  });

  test('though its form has very many parts', async () => {
    const { client } = await start();
    const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n';
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b' };
    expect(await client.send('POST', '/packages', { body: part.repeat(30_000), headers })).toMatchObject(
      refusal(400, 'No package file specified: package is missing'),
    );
  });
});

test('packages are taken in until they take too much room, and again when one is deleted', async () => {
  const { client, upload } = await start();
  const large = `# ${'x'.repeat(255_000)}`;
  const numbered = (n: number): Uint8Array => {
    const text = `{ vendor: v, name: n${n}, version: "1", entry_service_template: s }\n${large}`;
    return packed({ 'META-INF/MANIFEST.MF': Buffer.from(text), s: new Uint8Array() });
  };
  const taken: Shown[] = [];
  for (let n = 0; n < 200; n++) {
    const { status, body } = await upload(numbered(n));
    if (status !== 201) break;
    taken.push(body as Shown);
  }
  expect(taken.length).toBeGreaterThan(100);
  expect(taken.length).toBeLessThan(150);
  expect(await upload(numbered(200))).toMatchObject(
    refusal(413, 'All packages together are larger than 268435456 bytes'),
  );
  const headers = { Authorization: `bearer ${client.token}` };
  await client.send('DELETE', `/packages/${taken[0]?.uuid}`, { headers });
  expect((await upload(numbered(200))).status).toBe(201);
}, 30_000);

describe('a package is deleted', () => {
  const withToken = (client: Client) => ({ headers: { Authorization: `bearer ${client.token}` } });

  test('with what it alone has brought', async () => {
    const { client, upload } = await start();
    const shared = { 'function_descriptors/vnf.yml': { ...descriptorOf('vtc-vnf'), name: 'one-vnf' } };
    const nsd = (name: string) => ({
      ...descriptorOf('sonata-demo-nsd'),
      name,
      network_functions: [{ vnf_id: 'a', vnf_name: 'one-vnf', vnf_vendor: 'eu.sonata-nfv', vnf_version: '0.1' }],
    });
    const one = first([(await upload(archive('one'))).body]);
    const two = first([(await upload(archive('two', { ...shared, 'service_descriptors/two.yml': nsd('two') }))).body]);
    const names = async (list: string) =>
      ((await client.get(`/${list}`)).body as Record<string, { name: string }>[]).map(
        (element) => (element.vnfd ?? element.nsd ?? element.pd)?.name,
      );
    const gone = await client.send('DELETE', `/packages/${one?.uuid}`, withToken(client));
    expect(gone).toMatchObject({ status: 204, body: '' });
    expect(await names('packages')).toEqual(['sonata-demo', 'two']);
    expect(await names('services')).toEqual(['sonata-demo', 'two']);
    expect(await names('functions')).toEqual(['vtc-vnf', 'one-vnf']);
    await client.send('DELETE', `/packages/${two?.uuid}`, withToken(client));
    expect(await names('functions')).toEqual(['vtc-vnf']);
    expect((await upload(archive('one'))).status).toBe(201);
  });

  test('but not while a record refers to what it has brought', async () => {
    const { client } = await start();
    const { status, body } = await client.send('DELETE', `/packages/${PACKAGE}`, withToken(client));
    expect(status).toBe(409);
    expect(body).toMatchObject({
      error: { message: expect.stringMatching(`^Package ${PACKAGE} is in use by record`) },
    });
    expect((await client.get(`/functions/${FUNCTION}`)).status).toBe(200);
    expect((await client.get(`/services/${SERVICE}`)).status).toBe(200);
    expect((await client.get(`/records/functions/${INSTANCE}`)).status).toBe(200);
  });

  test('only if it is there', async () => {
    const { client } = await start();
    for (const uuid of ['x', FUNCTION]) {
      expect(await client.send('DELETE', `/packages/${uuid}`, withToken(client))).toMatchObject(
        refusal(404, `No package found with uuid=${uuid}`),
      );
    }
    expect(await client.send('DELETE', `/packages/${PACKAGE}`)).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
  });
});

test('packages are refused for their id before the token is looked at', async () => {
  const { client } = await start();
  for (const rest of ['', '/download']) {
    expect(await client.send('GET', `/packages/x${rest}`)).toMatchObject(refusal(404, 'UUID x not valid'));
    expect((await client.send('GET', `/packages/${PACKAGE}${rest}`)).status).toBe(401);
    expect(await client.get(`/packages/${FUNCTION}${rest}`)).toMatchObject(
      refusal(404, `Package ${FUNCTION} not found`),
    );
  }
});

test('the package that a world begins with can be downloaded, and uploaded to another world', async () => {
  const { client, checked } = await start();
  const headers = { Authorization: `bearer ${client.token}` };
  const answer = await checked(new Request(`http://x/packages/${PACKAGE}/download`, { headers }));
  const whole = new Uint8Array(await answer.arrayBuffer());
  expect([...unzip(whole).keys()]).toEqual([
    'META-INF/MANIFEST.MF',
    'service_descriptors/sonata-demo.yml',
    'function_descriptors/vtc-vnf.yml',
  ]);
  const empty = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => {
      const { users } = userGuide(cloud);
      return { ...UNFURNISHED, users };
    },
  });
  const other = await Client.loggedIn(checkedFetch(empty.fetch, contracts, empty.world.config.deviations));
  const body = new FormData();
  body.set('package', new Blob([whole]), 'demo.son');
  const sent = await other.send('POST', '/api/v2/packages?', {
    body,
    headers: { Authorization: `Bearer ${other.token}` },
  });
  expect(sent.status).toBe(201);
  expect(sent.headers.get('Location')).toMatch(/\/api\/v2\/packages\/[0-9a-f-]{36}$/);
  expect((await other.get('/functions?version=last')).body).toMatchObject([{ vnfd: descriptorOf('vtc-vnf') }]);
});
