import { describe, expect, test } from 'vitest';
import { runScenario } from './runner.ts';
import type { Scenario, Step } from './scenario.ts';
import { readTrace, type Trace, writeTrace } from './trace.ts';
import { inProcess } from './transport.ts';

const CREATE: Step = { id: 's1', op: 'create', bind: 'r1' };

async function run(steps: readonly Step[], more: Partial<Scenario> = {}): Promise<Trace> {
  const scenario: Scenario = { v: 1, timing: 'fast', steps, ...more };
  return runScenario(scenario, await inProcess(scenario));
}

/** `step status at` of the exchanges that belong to steps. */
const told = ({ lines }: Trace): string[] =>
  lines.flatMap((line) =>
    line.kind === 'exchange' && line.step !== null
      ? [`${line.step} ${line.response?.status} ${line.sent}-${line.at}`]
      : [],
  );
const skipped = ({ lines }: Trace): string[] =>
  lines.flatMap((line) => (line.kind === 'skip' ? [`${line.id}: ${line.why}`] : []));

const PUT: Step = { id: 's2', op: 'put', ref: 'r1', args: { faas: { CPU: 3, MEMORY: 256, DISK_SIZE: 2048 } } };

describe('a step', () => {
  test('follows the answer to the one before it, without time passing', async () => {
    expect(told(await run([CREATE, { id: 's2', op: 'get', ref: 'r1' }]))).toEqual(['s1 201 0-0', 's2 200 0-0']);
  });

  test('waits for the state that it is told from, and then for its delay', async () => {
    const [, get] = told(
      await run([CREATE, { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING', delayMs: 7 } }]),
    );
    expect(get).toBe('s2 200 2007-2007');
  });

  test('of another client is sent while one is under way', async () => {
    const look: Step = { id: 's3', op: 'get', ref: 'r1', client: 1, after: { event: 's2.UPDATING' } };
    const trace = await run([CREATE, { ...PUT, after: { event: 's1.RUNNING' } }, look]);
    expect(told(trace)).toEqual(['s1 201 0-0', 's3 200 2000-2000', 's2 200 2000-4000']);
  });

  test('of the same client is sent after it', async () => {
    const look: Step = { id: 's3', op: 'get', ref: 'r1', after: { event: 's2.sent' } };
    const trace = await run([CREATE, { ...PUT, after: { event: 's1.RUNNING' } }, look]);
    expect(told(trace)).toEqual(['s1 201 0-0', 's2 200 2000-4000', 's3 200 4000-4000']);
  });

  test('is left out when what it refers to was not made, and so is what waits for it', async () => {
    const trace = await run([
      { ...CREATE, args: { faas: { FLAVOUR: 'none' } } },
      { id: 's2', op: 'get', ref: 'r1' },
      { id: 's3', op: 'version', after: { event: 's2.answered' } },
      { id: 's4', op: 'version' },
    ]);
    expect(told(trace)).toEqual(['s1 422 0-0', 's4 200 0-0']);
    expect(skipped(trace)).toEqual(['s2: what it refers to was not made', 's3: s2.answered did not come']);
  });

  test('is left out when its event does not come in ten minutes', async () => {
    const trace = await run([{ ...CREATE }, { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.ERROR' } }]);
    expect(skipped(trace)).toEqual(['s2: s1.ERROR did not come']);
    expect(trace.lines.at(-1)?.at).toBe(600_000);
  });
});

describe('a fault', () => {
  const settled: Step = { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' } };

  test('takes a host away, and gives it back', async () => {
    const trace = await run(
      [
        CREATE,
        settled,
        { id: 's3', op: 'get', ref: 'r1', after: { event: 'f1.began' } },
        { id: 's4', op: 'get', ref: 'r1', after: { event: 'f1.ended' } },
      ],
      {
        faults: [{ id: 'f1', kind: 'hostDown', ref: 'r1', after: { event: 's2.answered', delayMs: 10 }, forMs: 1_000 }],
      },
    );
    const states = trace.lines.flatMap((line) =>
      line.kind === 'exchange' && line.response ? [/"STATE":"(\w+)"/.exec(line.response.body)?.[1]] : [],
    );
    expect(states).toEqual(['PENDING', 'RUNNING', 'ERROR', 'RUNNING']);
    expect(told(trace).at(-1)).toBe('s4 200 3010-3010');
  });

  test('of the host of a runtime names that host', async () => {
    const after = { event: 's2.answered' };
    const { lines } = await run([CREATE, settled], {
      faults: [
        { id: 'f1', kind: 'driver', do: 'fail', action: 'resize', ref: 'r1.host', after },
        {
          id: 'f2',
          kind: 'declared',
          fault: { selector: { layer: 'host' }, effect: { do: 'down' } },
          ref: 'r1',
          after,
        },
      ],
    });
    const armed = lines.flatMap((line) => (line.kind === 'exchange' && line.op === 'arm' ? [line.request.body] : []));
    expect(armed.map((body) => JSON.parse(body ?? '').selector)).toEqual([
      { layer: 'vm', operation: 'resize', host: 'host1' },
      { layer: 'host', host: 'host1' },
    ]);
  });

  test('is there from the start, and gone after its time', async () => {
    const again: Step = { id: 's4', op: 'create', bind: 'r2' };
    const trace = await run(
      [CREATE, { id: 's3', op: 'advance', ms: 60_000 }, again, { id: 's5', op: 'advance', ms: 60_000 }],
      {
        faults: [{ id: 'f1', kind: 'driver', do: 'fail', action: 'deploy', forMs: 50_000 }],
      },
    );
    const ends = trace.lines.flatMap((line) =>
      line.kind === 'event' && line.entry.kind === 'vm.state' ? [line.entry] : [],
    );
    const last = (vm: number) => ends.findLast(({ subject }) => subject === `vm/${vm}`)?.detail.to;
    expect([last(1), last(2)]).toEqual(['BOOT_FAILURE', 'RUNNING']);
  });
});

test('credentials are in no trace', async () => {
  const trace = writeTrace(await run([CREATE, { id: 'h', op: 'heal' }]));
  expect(trace).not.toMatch(/alice:alice|opennebula<|YWxpY2U6YWxpY2U/);
});

test('a trace reads back as it was', async () => {
  const trace = await run([CREATE, { id: 'h', op: 'heal' }]);
  expect(readTrace(writeTrace(trace))).toEqual(JSON.parse(JSON.stringify(trace)));
});
