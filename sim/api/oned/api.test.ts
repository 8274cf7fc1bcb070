import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../../one/cloud.ts';
import { OneError } from '../../one/error.ts';
import { OPERATIONS } from '../../one/operations.ts';
import { furnishedCloud } from '../../one/testing.ts';
import { METHODS } from './methods.ts';
import { ONEADMIN, Wire } from './recorded.ts';
import { decodeAnswer, encodeCall, type Value } from './xmlrpc.ts';

const TESTER = 'tester:testerpass';

/** What is answered to a body: a value, or a fault. */
async function answerTo(wire: Wire, body: string | Uint8Array): Promise<Value> {
  const response = await wire.send('POST', '/RPC2', body);
  expect([response.status, response.headers.get('Content-type')]).toEqual([200, 'text/xml; charset=utf-8']);
  return decodeAnswer(await response.text());
}

const answerToCall = (wire: Wire, session: Value, method: string, ...params: Value[]): Promise<Value> =>
  answerTo(wire, encodeCall({ method, params: [session, ...params] }));

/** An answer of five, with code and object. */
const REFUSAL = [false, expect.any(String), expect.any(Number), expect.any(Number), -1n];

/** All that oneadmin can see, without what differs from call to call. */
async function dump(cloud: Cloud): Promise<string> {
  const wire = new Wire(cloud);
  const pools = [
    ['one.vmpool.infoextended', -2, -1, -1, -2],
    ['one.vmpool.accounting', -2, -1, -1],
    ['one.templatepool.info', -2, -1, -1],
    ['one.documentpool.info', -2, -1, -1, 7],
    ['one.imagepool.info', -2, -1, -1],
    ['one.vn.info', 0],
    ['one.secgrouppool.info', -2, -1, -1],
    ['one.hostpool.info'],
    ['one.userpool.info'],
    ['one.grouppool.info'],
    ['one.clusterpool.info'],
    ['one.datastorepool.info'],
    ['one.acl.info'],
  ] as const;
  const shown = [];
  for (const [method, ...params] of pools) shown.push(await wire.call(ONEADMIN, method, ...params));
  return shown.join('\n').replace(/(REQUEST_ID|REQ_ID)>\d+/g, '$1>N');
}

describe('the table', () => {
  it('has every operation of the cloud, and nothing else', () => {
    expect(Object.keys(METHODS).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it('takes letters that there are', () => {
    for (const [method, { takes }] of Object.entries(METHODS)) expect(takes, method).toMatch(/^[isbA]*(\|[isbdA]+)?$/);
  });
});

describe('a call', () => {
  it('is authenticated before its parameters are looked at', async () => {
    const wire = new Wire(furnishedCloud());
    const refused = [false, "[one.vm.info] User couldn't be authenticated, aborting call.", 0x100, -1, -1n];
    expect(await answerToCall(wire, 'joe:mama', 'one.vm.info')).toEqual(refused);
    for (const session of ['', 'tester', ':', 'tester:', ':testerpass', 'tester:testerpass:']) {
      expect(await answerToCall(wire, session, 'one.vm.info', 0)).toEqual(refused);
    }
  });

  it('takes an int for a boolean that it does not look at', async () => {
    const wire = new Wire(furnishedCloud());
    wire.cloud.call(TESTER, 'one.template.instantiate', 0);
    expect(await answerToCall(wire, TESTER, 'one.vm.info', 0, 1)).toEqual([true, expect.any(String), 0]);
  });

  it('names in the journal what was meant', async () => {
    const wire = new Wire(furnishedCloud());
    await expect(answerToCall(wire, TESTER, 'one.vm.inof', 0)).rejects.toThrow("Method 'one.vm.inof' not defined");
    await expect(answerToCall(wire, TESTER, 'one.vm.resize', 0)).rejects.toThrow('Not enough parameters');
    await expect(answerToCall(wire, TESTER, 'one.vdc.allocate', 'x')).rejects.toThrow(
      "Method 'one.vdc.allocate' not defined",
    );
    const misuses = [...wire.cloud.journal.since()].filter(({ kind }) => kind === 'misuse');
    expect(misuses.map(({ subject, detail }) => [subject, detail])).toEqual([
      ['one.vm.inof', { problem: 'no such method', meant: 'one.vm.info(session, int, [boolean])' }],
      ['one.vm.resize', { problem: 'Not enough parameters', meant: 'one.vm.resize(session, int, string, boolean)' }],
      ['one.vdc.allocate', { problem: 'a method of OpenNebula that is not simulated', meant: '' }],
    ]);
  });

  it('is the cause of what it makes happen', async () => {
    const wire = new Wire(furnishedCloud());
    await wire.call(TESTER, 'one.template.instantiate', 0, 'x', true, '');
    await wire.call(TESTER, 'one.vm.action', 'release', 0);
    const { journal } = wire.cloud;
    const [last] = [...journal.since()].filter(({ kind }) => kind === 'vm.state').slice(-1);
    expect(journal.why(last?.seq ?? 0).map(({ kind }) => kind)).toEqual(['vm.state', 'request']);
  });
});

describe('a VM', () => {
  /** One that has been resized while it ran, and has something before it. */
  async function planned(wire: Wire): Promise<number> {
    const id = Number(await wire.call(TESTER, 'one.template.instantiate', 0, 'x', false, ''));
    await wire.admin('one.vm.deploy', id, 0);
    wire.cloud.clock.advanceNow(60_000);
    await wire.call(TESTER, 'one.vm.resize', id, 'MEMORY=256', true);
    wire.cloud.clock.advanceNow(60_000);
    await wire.call(TESTER, 'one.vm.schedadd', id, 'SCHED_ACTION=[ACTION=poweroff,TIME="+999999"]');
    return id;
  }
  const elements = (xml: string, name: string): string[] => xml.match(new RegExp(`<${name}>.*?</${name}>`, 'g')) ?? [];

  it('has its scheduled actions behind the rest of its template', async () => {
    const wire = new Wire(furnishedCloud());
    const xml = String(await wire.call(TESTER, 'one.vm.info', await planned(wire)));
    expect(xml).toMatch(/<VMID><!\[CDATA\[\d+\]\]><\/VMID><SCHED_ACTION>.*<\/SCHED_ACTION><\/TEMPLATE>/);
  });

  it('is in a list with its present placement alone, and without what is scheduled or measured', async () => {
    const wire = new Wire(furnishedCloud());
    const id = await planned(wire);
    const alone = String(await wire.call(TESTER, 'one.vm.info', id));
    expect(elements(alone, 'SEQ')).toEqual(['<SEQ>0</SEQ>', '<SEQ>1</SEQ>']);
    for (const [method, ...params] of [
      ['one.vmpool.infoextended', -2, -1, -1, -1],
      ['one.vmpool.infoset', String(id), true],
    ] as const) {
      const listed = String(await wire.call(TESTER, method, ...params));
      expect(elements(listed, 'SEQ'), method).toEqual(['<SEQ>1</SEQ>']);
      expect(listed, method).toContain('<LAST_POLL>0</LAST_POLL>');
      expect(listed, method).toContain('<MONITORING></MONITORING><SCHED_ACTIONS><ID>0</ID></SCHED_ACTIONS>');
      expect(listed, method).not.toContain('<SCHED_ACTION>');
    }
  });

  it('is in the records of accounting without any placement of its own', async () => {
    const wire = new Wire(furnishedCloud());
    await planned(wire);
    const records = String(await wire.call(TESTER, 'one.vmpool.accounting', -2, -1, -1));
    expect(elements(records, 'SEQ')).toEqual(['<SEQ>0</SEQ>', '<SEQ>1</SEQ>']);
    expect(records.match(/<HISTORY_RECORDS\/>/g)).toHaveLength(2);
  });
});

describe('a host', () => {
  it('is seen from its first moment, and not before', async () => {
    const wire = new Wire(furnishedCloud());
    wire.cloud.clock.advanceNow(1_000_000);
    const id = Number(await wire.admin('one.host.allocate', 'late', 'dummy', 'dummy', -1));
    const { seconds } = wire.cloud;
    const times = async (): Promise<number[]> =>
      [...String(await wire.call(ONEADMIN, 'one.host.monitoring', id)).matchAll(/<TIMESTAMP>(\d+)/g)].map(([, at]) =>
        Number(at),
      );
    expect(await times()).toEqual([seconds]);
    wire.cloud.clock.advanceNow(300_000);
    expect(await times()).toEqual([seconds, seconds + 120, seconds + 240]);
    wire.cloud.clock.advanceNow(24 * 3_600_000);
    expect(await times()).toHaveLength(360);
  });
});

describe('methods of the server itself', () => {
  const multicall = (wire: Wire, ...calls: Value[]): Promise<Value> =>
    answerTo(wire, encodeCall({ method: 'system.multicall', params: [calls] }));
  const one = (method: string, ...params: Value[]): Value =>
    new Map<string, Value>([
      ['methodName', method],
      ['params', params],
    ]);

  it('make several calls at once, of which each may fail', async () => {
    const wire = new Wire(furnishedCloud());
    const answers = await multicall(
      wire,
      one('one.system.version', ONEADMIN),
      one('one.userpool.info', TESTER),
      one('one.nope', ONEADMIN),
      one('system.multicall', []),
      'one.system.version',
    );
    expect(answers).toEqual([
      [[true, '6.10.5', 0]],
      [[true, expect.stringContaining('<USER_POOL><USER><ID>2</ID>'), 0]],
      new Map<string, Value>([
        ['faultCode', -506],
        ['faultString', "Method 'one.nope' not defined"],
      ]),
      new Map<string, Value>([
        ['faultCode', -507],
        ['faultString', 'Recursive system.multicall strictly forbidden'],
      ]),
      expect.any(Map),
    ]);
  });

  it('are bounded', async () => {
    const wire = new Wire(furnishedCloud());
    const calls = Array.from({ length: 1001 }, () => one('one.system.version', ONEADMIN));
    await expect(multicall(wire, ...calls)).rejects.toThrow('More than 1000 calls at once');
    await expect(multicall(wire)).resolves.toEqual([]);
    await expect(answerTo(wire, encodeCall({ method: 'system.multicall', params: [7] }))).rejects.toThrow('an array');
  });

  it('know the others', async () => {
    const wire = new Wire(furnishedCloud());
    const ask = (method: string, name: string) => answerTo(wire, encodeCall({ method, params: [name] }));
    expect(await ask('system.methodExist', 'one.vm.info')).toBe(true);
    expect(await ask('system.methodExist', 'toString')).toBe(false);
    expect(await ask('system.methodSignature', 'one.user.info')).toEqual([['array', 'string', 'int']]);
    await expect(ask('system.methodSignature', 'one.nope')).rejects.toThrow("Method 'one.nope' does not exist");
  });
});

describe('bad input', () => {
  const template = 'A="'.concat('x'.repeat(100_000));
  const body = (value: string): string =>
    `<methodCall><methodName>one.vm.update</methodName><params><param><value>${TESTER}</value></param>${value}</params></methodCall>`;

  it.each<[string, string | Uint8Array]>([
    ['text', 'hello'],
    ['JSON', '{"a":1}'],
    ['XML that ends early', '<methodCall><methodName>one.vm.info'],
    ['another document', '<html/>'],
    ['a billion laughs', '<!DOCTYPE a [<!ENTITY b "&c;&c;">]><methodCall>&b;</methodCall>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><methodCall>&b;</methodCall>'],
    ['a hundred thousand levels', '<methodCall>'.repeat(100_000)],
    ['bytes that are no UTF-8', Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0xfe)],
    ['an encoding that nobody knows', '<?xml version="1.0" encoding="x-martian"?><methodCall/>'],
    ['ASCII with bytes beyond it', new TextEncoder().encode('<?xml version="1.0" encoding="us-ascii"?><é/>')],
    ['half a character of UTF-16', Uint8Array.of(0xff, 0xfe, 0x3c)],
    ['a body that is too large', ' '.repeat(1_000_001)],
    ['an id beyond 32 bits', body('<param><value><int>4294967296</int></value></param>')],
  ])('%s is answered with a fault, and changes nothing', async (_, sent) => {
    const cloud = furnishedCloud();
    const before = await dump(cloud);
    await expect(answerTo(new Wire(cloud), sent)).rejects.toMatchObject({ code: expect.any(Number) });
    expect(await dump(cloud)).toBe(before);
  });

  it.each<[string, string, ...Value[]]>([
    ['a session without a colon', 'one.vm.action', 'resume', 0],
    ['a VM that is not there', 'one.vm.action', 'resume', 2_147_483_647],
    ['a document of that id that is none', 'one.document.update', 0, 'A=1', 1],
    ['a template that does not end', 'one.vm.update', 0, template, 7],
    ['a template of brackets', 'one.template.allocate', 'A=['.repeat(10_000)],
    ['a template that is XML, and is not', 'one.template.allocate', '<A>'.repeat(100_000)],
    ['a name of control characters', 'one.template.allocate', 'NAME="a\tb" CPU=1'],
    ['a name that is too long', 'one.vm.rename', 0, 'x'.repeat(100_000)],
    ['bits that are none', 'one.vm.chmod', 0, 9, 9, 9, 9, 9, 9, 9, 9, 9],
    ['an ACL rule that is none', 'one.acl.addrule', 'zz', '', '1'],
  ])('%s is refused, and changes nothing', async (what, method, ...params) => {
    const cloud = furnishedCloud();
    cloud.call(TESTER, 'one.template.instantiate', 0);
    const before = await dump(cloud);
    const session = what.startsWith('a session') ? 'tester' : what.startsWith('an ACL') ? ONEADMIN : TESTER;
    expect(await answerToCall(new Wire(cloud), session, method, ...params)).toEqual(REFUSAL);
    expect(await dump(cloud)).toBe(before);
  });

  it.each(['utf-16le', 'iso-8859-1', 'UTF-8'] as const)('is not: a call in %s', async (encoding) => {
    const wire = new Wire(furnishedCloud());
    const call = `<methodCall><methodName>one.system.version</methodName><params><param><value>tester:testerpass</value></param></params></methodCall>`;
    const sent =
      encoding === 'utf-16le'
        ? Buffer.from(`\ufeff${call}`, 'utf16le')
        : Buffer.from(`<?xml version="1.0" encoding="${encoding}"?>${call}`);
    expect(await answerTo(wire, sent)).toEqual([true, '6.10.5', 0]);
  });
});

describe('what there is none of', () => {
  it.each([
    ['backupjob', 'BACKUPJOB', 'backup job'],
    ['hook', 'HOOK', 'hook'],
    ['market', 'MARKETPLACE', 'marketplace'],
    ['marketapp', 'MARKETPLACEAPP', 'marketplaceapp'],
    ['vmgroup', 'VM_GROUP', 'vm group'],
    ['vntemplate', 'VNTEMPLATE', 'virtual network template'],
    ['vrouter', 'VROUTER', 'virtual router'],
  ])('%s: its pool is empty, and no id is one', async (kind, root, objectName) => {
    const wire = new Wire(furnishedCloud());
    const pool = await wire.call(TESTER, `one.${kind}pool.info`, -2, -1, -1);
    expect(pool).toBe(`<${root}_POOL></${root}_POOL>`);
    expect(await answerToCall(wire, ONEADMIN, `one.${kind}.info`, 3, true)).toEqual([
      false,
      `[one.${kind}.info] Error getting ${objectName} [3].`,
      0x400,
      3,
      -1n,
    ]);
  });

  it('hooks that ran: only administrators may know', async () => {
    const wire = new Wire(furnishedCloud());
    expect(await wire.call(ONEADMIN, 'one.hooklog.info', -1, -1, -1, 0)).toBe('<HOOKLOG></HOOKLOG>');
    expect(await answerToCall(wire, TESTER, 'one.hooklog.info', -1, -1, -1, 0)).toEqual([
      false,
      '[one.hooklog.info] User [2] not authorized to perform action on hook.',
      0x200,
      -1,
      -1n,
    ]);
  });

  it('other servers of the zone', async () => {
    const wire = new Wire(furnishedCloud());
    expect(await wire.call(ONEADMIN, 'one.zone.raftstatus')).toBe(
      '<RAFT><SERVER_ID>-1</SERVER_ID><STATE>0</STATE><TERM>0</TERM><VOTEDFOR>-1</VOTEDFOR><COMMIT>0</COMMIT>' +
        '<LOG_INDEX>-1</LOG_INDEX><LOG_TERM>-1</LOG_TERM><FEDLOG_INDEX>-1</FEDLOG_INDEX></RAFT>',
    );
    expect(await answerToCall(wire, TESTER, 'one.zone.raftstatus')).toEqual([
      false,
      '[one.zone.raftstatus] User [2] : Not authorized to perform ADMIN ZONE [0].',
      0x200,
      -1,
      -1n,
    ]);
  });
});

// ---- over the wire and in process ---------------------------------------------------------------------------------

const vmId = fc.integer({ min: 0, max: 3 });
const documentId = fc.integer({ min: 0, max: 2 });
const name = fc.constantFrom('', 'a', 'b', 'c:d', 'é "&<');
const template = fc.constantFrom(
  '',
  'A=1',
  'A=[B="x,y"] C=2',
  'NAME=n CPU=1 MEMORY=64',
  '<T><A>1</A></T>',
  'A=[',
  'CPU=-1',
);
const bit = fc.constantFrom(-1, 0, 1, 2);
const action = fc.constantFrom(
  'hold',
  'release',
  'terminate',
  'poweroff',
  'resume',
  'suspend',
  'stop',
  'undeploy',
  'nope',
);

const schedule = fc.constantFrom(
  'SCHED_ACTION=[ACTION=hold,TIME=1]',
  'SCHED_ACTION=[ACTION=poweroff,TIME="+5"]',
  'SCHED_ACTION=[ACTION=reboot,TIME=1,REPEAT=3,DAYS="1"]',
  'SCHED_ACTION=[ACTION=fly]',
  '',
);

const steps = fc.oneof(
  fc.tuple(fc.constant('one.template.instantiate'), fc.constant(0), name, fc.boolean(), template),
  fc.tuple(fc.constant('one.vm.allocate'), template),
  fc.tuple(fc.constant('one.vm.action'), action, vmId),
  fc.tuple(fc.constant('one.vm.deploy'), vmId, fc.constantFrom(0, 1, 9)),
  fc.tuple(fc.constant('one.vm.resize'), vmId, template, fc.boolean()),
  fc.tuple(fc.constant('one.vm.diskresize'), vmId, fc.constantFrom(0, 1), fc.constantFrom('300', '100', 'x')),
  fc.tuple(fc.constant('one.vm.update'), vmId, template, fc.constantFrom(0, 1, 2)),
  fc.tuple(fc.constant('one.vm.rename'), vmId, name),
  fc.tuple(fc.constant('one.vm.chmod'), vmId, bit, bit, bit, bit, bit, bit, bit, bit, bit),
  fc.tuple(fc.constant('one.vm.lock'), vmId, fc.constantFrom(1, 2, 3, 9)),
  fc.tuple(fc.constant('one.vm.unlock'), vmId),
  fc.tuple(fc.constant('one.vm.recover'), vmId, fc.integer({ min: -1, max: 6 })),
  fc.tuple(fc.constant('one.vm.attachnic'), vmId, fc.constantFrom('NIC=[NETWORK_ID=0]', 'NIC=[NETWORK_ID=9]', '')),
  fc.tuple(fc.constant('one.vm.snapshotcreate'), vmId, name),
  fc.tuple(fc.constant('one.vm.schedadd'), vmId, schedule),
  fc.tuple(fc.constant('one.vm.schedupdate'), vmId, fc.constantFrom(0, 1), schedule),
  fc.tuple(fc.constant('one.vm.scheddelete'), vmId, fc.constantFrom(0, 1)),
  fc.tuple(
    fc.constant('one.vm.updatenic'),
    vmId,
    fc.constantFrom(0, 1),
    fc.constantFrom('NIC=[INBOUND_AVG_BW=5]', 'NIC=[A=1]', ''),
  ),
  fc.tuple(
    fc.constant('one.secgroup.allocate'),
    fc.constantFrom('NAME=g RULE=[PROTOCOL=ALL,RULE_TYPE=INBOUND]', 'NAME=g'),
  ),
  fc.tuple(fc.constantFrom('one.vm.attachsg', 'one.vm.detachsg'), vmId, fc.constant(0), fc.constantFrom(0, 100)),
  fc.tuple(fc.constant('one.document.allocate'), template, fc.constant(7)),
  fc.tuple(fc.constant('one.document.update'), documentId, template, fc.constantFrom(0, 1)),
  fc.tuple(fc.constant('one.document.rename'), documentId, name),
  fc.tuple(fc.constant('one.document.clone'), documentId, name),
  fc.tuple(fc.constant('one.document.delete'), documentId),
  fc.tuple(fc.constant('one.user.allocate'), name, fc.constantFrom('secret', ''), fc.constant('')),
  fc.tuple(fc.constant('one.user.quota'), fc.constant(2), fc.constantFrom('VM=[VMS=1]', 'VM=[CPU=-9]', '')),
  fc.tuple(fc.constant('one.host.status'), fc.constantFrom(0, 1), fc.integer({ min: 0, max: 3 })),
  fc.tuple(fc.constant('one.image.allocate'), fc.constantFrom('NAME=i SIZE=9 TYPE=OS', 'NAME=i'), fc.constant(1)),
  fc.tuple(fc.constant('one.vn.hold'), fc.constant(0), fc.constantFrom('LEASES=[IP=10.0.0.9]', 'LEASES=[]')),
);
const sessions = fc.constantFrom(ONEADMIN, TESTER, 'other:otherpass', 'nobody:nothing');
const pause = fc.constantFrom(0, 600, 5_000);

/** What an operation of the cloud itself returns, as it is answered. */
function inProcess(cloud: Cloud, session: string, method: string, params: readonly unknown[]): unknown {
  try {
    const run = cloud.call as (...args: unknown[]) => unknown;
    return run.call(cloud, session, method, ...params);
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    return error.message;
  }
}

it('any sequence of calls leaves what the same operations called in process leave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(sessions, steps, pause), { maxLength: 25 }), async (sequence) => {
      const [near, far] = [furnishedCloud(), furnishedCloud()];
      const wire = new Wire(far);
      for (const [session, [method, ...params], ms] of sequence) {
        const answer = await answerToCall(wire, session, method, ...(params as Value[]));
        expect(Array.isArray(answer) ? answer[1] : answer).toEqual(inProcess(near, session, method, params));
        for (const { clock } of [near, far]) clock.advanceNow(ms);
      }
      expect(await dump(far)).toBe(await dump(near));
    }),
    { seed: 1, numRuns: 60 },
  );
}, 60_000);

it.each([
  ['its user template has', 'one.vm.update', 0, 'NOTE=changed', 1],
  ['a disk has', 'one.vm.diskresize', 0, 0, '300'],
  ['its disks have', 'one.vm.attach', 0, 'DISK=[TYPE=FS, SIZE=5]'],
  ['its NICs have', 'one.vm.attachnic', 0, 'NIC=[NETWORK_ID=0]'],
  ['an alias has', 'one.vm.attachnic', 0, 'NIC_ALIAS=[NETWORK_ID=0, PARENT=NIC0]'],
  ['a snapshot has', 'one.vm.disksnapshotcreate', 0, 0, 'first'],
  ['the rules of its group have', 'one.secgroup.update', 0, 'RULE=[PROTOCOL=ICMP, RULE_TYPE=INBOUND]', 0],
] as const)('what a VM was shown with is not shown when %s changed', async (_what, method, ...params) => {
  const [looked, fresh] = [furnishedCloud(), furnishedCloud()];
  const look = async (cloud: Cloud): Promise<string> => {
    const answer = await answerToCall(new Wire(cloud), ONEADMIN, 'one.vm.info', 0);
    return String(Array.isArray(answer) ? answer[1] : answer).replace(/REQUEST_ID>\d+/g, 'REQUEST_ID>N');
  };
  for (const cloud of [looked, fresh]) {
    cloud.call(ONEADMIN, 'one.template.instantiate', 0);
    cloud.call(ONEADMIN, 'one.vm.deploy', 0, 0);
    cloud.clock.advanceNow(60_000);
  }
  const before = await look(looked);
  for (const cloud of [looked, fresh]) await answerToCall(new Wire(cloud), ONEADMIN, method, ...params);
  for (const cloud of [looked, fresh]) cloud.clock.advanceNow(60_000);
  const after = await look(looked);
  expect(after).toBe(await look(fresh));
  expect(withoutMonitoring(after)).not.toBe(withoutMonitoring(before));
});

const withoutMonitoring = (xml: string): string => xml.replace(/<LAST_POLL>.*<\/MONITORING>/, '');
