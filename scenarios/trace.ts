/** A fixed scenario over every API, and its trace: a line for each exchange, then the journal. Run as a program, it prints the trace. */
import { loadSimulator } from '../sim/index.ts';

interface Step {
  readonly call: string;
  readonly user?: string;
  readonly body?: unknown;
  /** Simulated time that passes after the answer; before it, when the request waits. */
  readonly passMs?: number;
  readonly waits?: true;
}

const ALICE = 'alice:alice';
const runtime = (faas: object, more: object = {}): object => ({ SERVERLESS_RUNTIME: { FAAS: faas, ...more } });
const DATA =
  '/functions/e60558d6-91c3-4196-abad-46079a0e3c61/vdu01/fa8869e3-cc5f-4a5e-8520-932226d804e1/asynch-mon-data' +
  '/metrics=vm_cpu_perc,vm_net_rx_bps&since=1504011287&until=1504012281&step=14';

const STEPS: readonly Step[] = [
  {
    call: 'POST /_onesim/faults',
    body: { selector: { layer: 'vm' }, trigger: { probability: 0.3 }, effect: { do: 'fail', message: 'No KVM' } },
  },
  ...Array.from(
    { length: 8 },
    (_, i): Step => ({
      call: 'POST /serverless-runtimes',
      user: i % 3 === 0 ? 'bob:bob' : ALICE,
      body: runtime({ FLAVOUR: 'Function' }, i % 2 === 0 ? {} : { NAME: `runtime ${i}` }),
      passMs: 5_000,
    }),
  ),
  { call: 'GET /serverless-runtimes/8', user: ALICE, passMs: 120_000 },
  ...[8, 10, 12, 14].map((id): Step => ({ call: `GET /serverless-runtimes/${id}`, user: ALICE })),
  {
    call: 'PUT /serverless-runtimes/10',
    user: ALICE,
    body: runtime({ FLAVOUR: 'Function', CPU: 2, MEMORY: 256, DISK_SIZE: 2048 }),
    waits: true,
    passMs: 60_000,
  },
  { call: 'DELETE /serverless-runtimes/12', user: ALICE, passMs: 60_000 },
  { call: 'POST /sessions', body: { username: 'sonata', password: '1234' } },
  { call: `GET ${DATA}` },
  { call: 'GET /metrics' },
  { call: 'GET /_onesim/clock' },
];

export async function trace(seed: number): Promise<string> {
  const simulator = await loadSimulator({ seed, timing: { name: 'realistic' } });
  const { clock, journal } = simulator.world;
  const lines: string[] = [];
  let token = '';
  for (const { call, user, body, passMs = 0, waits } of STEPS) {
    const [method = '', path = ''] = call.split(' ');
    const authorization = user === undefined ? `bearer ${token}` : `Basic ${Buffer.from(user).toString('base64')}`;
    const request = new Request(`http://127.0.0.1:1337${path}`, {
      method,
      headers: { Authorization: authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answering = simulator.fetch(request);
    if (waits) await clock.advance(passMs);
    const answer = await answering;
    const text = await answer.text();
    if (call === 'POST /sessions') token = JSON.parse(text).token.access_token;
    lines.push(JSON.stringify({ at: clock.now, call, status: answer.status, headers: [...answer.headers], text }));
    if (!waits) await clock.advance(passMs);
  }
  for (const entry of journal.since()) lines.push(JSON.stringify(entry));
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(await trace(Number(process.argv[2] ?? 1)));
