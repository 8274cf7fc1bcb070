/** Who looks on: what is asked, what passes over streams, and that no secret is left in the trace. */
import { describe, expect, test } from 'vitest';
import { runScenario } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { type StreamLine, type Trace, writeTrace } from '../trace.ts';
import { inProcess } from '../transport.ts';

const play = async (steps: Scenario['steps'], more: Partial<Scenario> = {}): Promise<Trace> => {
  const scenario: Scenario = { v: 1, ...more, steps };
  return runScenario(scenario, await inProcess(scenario));
};

const told = ({ lines }: Trace): string[] =>
  lines.flatMap((line) => (line.kind === 'exchange' ? [`${line.op} ${line.response?.status}`] : []));

const passed = ({ lines }: Trace): Omit<StreamLine, 'kind' | 'stream'>[] =>
  lines.filter((line) => line.kind === 'stream').map(({ kind: _, stream: __, ...rest }) => rest);

describe('a look at the Gatekeeper', () => {
  test('logs in by itself, and a token that was logged out stays in use until the next login', async () => {
    const trace = await play([
      { id: 'a', op: 'functions.list' },
      { id: 'b', op: 'logout' },
      { id: 'c', op: 'functions.list' },
      { id: 'd', op: 'login' },
      { id: 'e', op: 'functions.list' },
    ]);
    expect(told(trace)).toEqual([
      ...['login 200', 'functions.list 200', 'logout 204', 'functions.list 401'],
      ...['login 200', 'functions.list 200'],
    ]);
  });

  test('leaves neither a password nor a token that is signed in the trace', async () => {
    const trace = await play([{ id: 'a', op: 'login' }]);
    const text = writeTrace(trace);
    expect(text).toContain('access_token');
    expect(text).not.toContain('1234"');
    expect(text).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]{20}/);
  });

  test('finds parts and elements itself, and asks for as many functions as the scenario has', async () => {
    const trace = await play(
      [
        { id: 'a', op: 'metrics.asynch', metrics: ['vm_up'], sinceAgoMs: 0, untilAgoMs: 0, stepMs: 1_000 },
        { id: 'b', op: 'functions.get', nth: 3 },
        { id: 'c', op: 'functions.get', uuid: 'none' },
      ],
      { functions: 3 },
    );
    expect(told(trace)).toEqual([
      ...['login 200', 'functions.list 200', 'metrics.asynch 200'],
      ...['functions.list 200', 'functions.get 200', 'functions.get 404'],
    ]);
  });

  test('is left out when what it needs was not made', async () => {
    const { lines } = await play([
      { id: 'a', op: 'ws.open', ref: 'live' },
      { id: 'b', op: 'ws.read', ref: 'live' },
    ]);
    expect(lines.flatMap((line) => (line.kind === 'skip' ? [line.why] : []))).toEqual([
      'no such stream was made',
      'there is no such connection',
    ]);
  });
});

describe('a stream', () => {
  test('is opened, read as far as was asked, spoken to and left; the next one is turned away', async () => {
    const trace = await play([
      { id: 'a', op: 'metrics.synch', metrics: ['vm_up'], bind: 'live' },
      { id: 'b', op: 'ws.open', ref: 'live' },
      { id: 'c', op: 'ws.read', ref: 'live', frames: 2 },
      { id: 'd', op: 'ws.send', ref: 'live', text: 'hello' },
      { id: 'e', op: 'ws.close', ref: 'live' },
      { id: 'f', op: 'ws.open', ref: 'live' },
      { id: 'g', op: 'ws.open', ref: 'none' },
    ]);
    expect(passed(trace).map(({ at, step, event }) => `${at} ${step} ${event}`)).toEqual([
      ...['0 b asked', '0 b frame', '3000 b frame', '6000 b frame', '6000 b sent', '6000 b frame', '6000 b left'],
      ...['6000 f asked', '6000 f frame', '6000 f closed', '6000 g asked', '6000 g frame', '6000 g closed'],
    ]);
  });

  test('that carries nothing is not read for ever', async () => {
    const trace = await play([
      { id: 'a', op: 'metrics.synch', metrics: ['no_such_metric'], bind: 'live' },
      { id: 'b', op: 'ws.open', ref: 'live' },
      { id: 'c', op: 'ws.read', ref: 'live', withinMs: 7_000 },
      { id: 'd', op: 'ws.close', ref: 'live' },
    ]);
    expect(passed(trace).at(-1)).toEqual({ at: 7_000, step: 'b', event: 'left', text: null, code: null });
  });
});
