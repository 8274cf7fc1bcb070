/** All that a world holds, as its administrator sees it over XML-RPC: two of these are equal when nothing has changed between them. */
import type { Simulator } from '../sim/index.ts';

const ALL = [-2, -1, -1] as const;

const DOCUMENT_TYPES = [100, 101, 1337] as const;

/** Every pool with all its contents: quotas come with users and groups, leases with networks. */
const CALLS: readonly (readonly [method: string, ...params: number[]])[] = [
  ['one.userpool.info'],
  ['one.grouppool.info'],
  ['one.hostpool.info'],
  ['one.clusterpool.info'],
  ['one.datastorepool.info'],
  ['one.imagepool.info', ...ALL],
  ['one.vnpool.info', ...ALL],
  ['one.templatepool.info', ...ALL],
  ['one.vmpool.infoextended', ...ALL, -1],
  ['one.acl.info'],
  ...DOCUMENT_TYPES.map((type): [string, ...number[]] => ['one.documentpool.info', ...ALL, type]),
];

const call = (method: string, params: readonly number[]): string =>
  `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${[
    '<string>oneadmin:opennebula</string>',
    ...params.map((param) => `<i4>${param}</i4>`),
  ]
    .map((param) => `<param><value>${param}</value></param>`)
    .join('')}</params></methodCall>`;

export async function holdings({ world, fetch }: Simulator): Promise<string> {
  const parts = [JSON.stringify({ now: world.clock.now, faults: [...world.judge.faults] })];
  for (const [method, ...params] of CALLS) {
    const answer = await fetch(new Request('http://127.0.0.1/RPC2', { method: 'POST', body: call(method, params) }));
    const text = await answer.text();
    if (!text.includes('<boolean>1</boolean>')) throw new Error(`${method} was refused: ${text}`);
    parts.push(text);
  }
  return parts.join('\n');
}
