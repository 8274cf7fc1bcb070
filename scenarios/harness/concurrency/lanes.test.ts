import { describe, expect, test } from 'vitest';
import { readScenario } from '../read-scenario.ts';
import { runScenario } from '../runner.ts';
import { type Scenario, type Step, writeScenario } from '../scenario.ts';
import { type Trace, writeTrace } from '../trace.ts';
import { inProcess } from '../transport.ts';

const PREFIX: readonly Step[] = [
  { id: 'make', op: 'create', bind: 'r1' },
  { id: 'up', op: 'get', ref: 'r1', after: { event: 'make.RUNNING' } },
];

async function run(...steps: readonly Step[]): Promise<Trace> {
  const scenario: Scenario = { v: 1, timing: 'fast', steps: [...PREFIX, ...steps] };
  return runScenario(scenario, await inProcess(scenario));
}

/** `step status sent-answered` behind the prefix, from its end, in the order of the answers. */
const told = ({ lines }: Trace): string[] =>
  lines.flatMap((line) => {
    if (line.kind !== 'exchange' || line.step === null || line.step === 'make' || line.step === 'up') return [];
    return [`${line.step} ${line.response?.status} ${line.sent - 2000}-${line.at - 2000}`];
  });

const size = (CPU: number) => ({ faas: { CPU, MEMORY: 128, DISK_SIZE: 1024 } });
const look = (id: string, lane: number, ...pausesMs: readonly number[]): Step => ({
  id,
  op: 'get',
  ref: 'r1',
  lane,
  pausesMs,
});
const resize = (id: string, lane: number, ...pausesMs: readonly number[]): Step => ({
  ...{ id, op: 'put', ref: 'r1', args: size(2) },
  ...{ lane, pausesMs },
});

describe('lanes', () => {
  test('begin together, keep their own order, and are waited for', async () => {
    const trace = await run(resize('a1', 1), look('a2', 1), look('b1', 2), look('b2', 2), {
      id: 'end',
      op: 'get',
      ref: 'r1',
    });
    expect(told(trace)).toEqual(['b1 200 0-0', 'b2 200 0-0', 'a1 200 0-1000', 'a2 200 1000-1000', 'end 200 1000-1000']);
  });

  test('hold a step back before it is sent, and at each wait of its handler', async () => {
    expect(told(await run(resize('a1', 1, 7), look('b1', 2)))).toEqual(['b1 200 0-0', 'a1 200 7-1007']);
    expect(told(await run(resize('a1', 1, 0, 300), look('b1', 2, 1_200)))).toEqual([
      'b1 200 1200-1200',
      'a1 200 0-1300',
    ]);
  });

  test('let two handlers overlap that never wait: the second has read what the first deletes', async () => {
    const end = (id: string, lane: number): Step => ({ id, op: 'delete', ref: 'r1', lane });
    const both = async () => told(await run(end('a1', 1), end('b1', 2)));
    const first = await both();
    expect(first.map((line) => line.slice(3)).sort()).toEqual(['204 0-0', '500 0-0']);
    expect(await both()).toEqual(first);
    expect(told(await run(end('a1', 1), { ...end('b1', 2), pausesMs: [1] } as Step))).toEqual([
      'a1 204 0-0',
      'b1 404 1-1',
    ]);
  });

  test('that were left out by their references are not waited for', async () => {
    const trace = await run(
      { id: 'a1', op: 'create', bind: 'r2', args: { faas: { FLAVOUR: 'none' } }, lane: 1 },
      {
        ...{ id: 'a2', op: 'get', ref: 'r2', lane: 1 },
      } as Step,
      look('b1', 2),
      { id: 'end', op: 'get', ref: 'r1' },
    );
    expect(told(trace)).toEqual(['b1 200 0-0', 'a1 422 0-0', 'end 200 0-0']);
  });

  test('are in the file, and replay from it', async () => {
    const steps = [...PREFIX, resize('a1', 1, 3, 250), look('b1', 2, 500), look('b2', 2)];
    const scenario: Scenario = { v: 1, seed: '7', steps };
    const traces = [];
    for (const each of [scenario, await readScenario(writeScenario(scenario), 'lanes.json')]) {
      traces.push(writeTrace(await runScenario(each, await inProcess(each))));
    }
    expect(traces[1]).toBe(traces[0]);
  });
});
