/** Faults of metrics: the range query, the exposition and the records of WebSocket frames show the same, and it ends. */
import { describe, expect, it } from 'vitest';
import { trial } from './trial.ts';

const MINUTE = 60_000;
const VC = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
const INSTANCE = `e60558d6-91c3-4196-abad-46079a0e3c61/vdu01/${VC}`;
const METRIC = 'vm_net_rx_MB';

type Point = readonly [time: number, value: string];

interface Row {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly Point[];
}

interface FrameRecord {
  readonly labels: readonly string[];
  readonly value: number | 'NaN';
  readonly time: number;
}

/** Wherever they are in an answer. */
function rowsIn(value: unknown): Row[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.hasOwn(value, 'values') ? [value as Row] : Object.values(value).flatMap(rowsIn);
}

/** The first VM of the default world is a network function, which has run for years. */
async function observatory() {
  const it = await trial();
  const { ask, simulator, pass } = it;
  const { clock, metrics } = simulator.world;

  /** Series of the VM's first interface: by `replica`, as it is stored by now. */
  const range = async (sinceMs: number, metric = METRIC): Promise<Map<string, readonly Point[]>> => {
    const query = `metrics=${metric}&since=${sinceMs / 1000}&until=${clock.now / 1000}&step=15`;
    const login = await ask('/sessions', { body: { username: 'sonata', password: '1234' } });
    const { access_token: token = '' } = login.json().token as { access_token?: string };
    const answer = await ask(`/functions/metrics/${INSTANCE}/asynch-mon-data?${query}`, { token });
    expect(answer.status, answer.text).toBe(200);
    return new Map(
      rowsIn(answer.json())
        .filter(({ metric: labels }) => (labels.inf ?? 'eth0') === 'eth0')
        .map(({ metric: labels, values }) => [labels.replica ?? '', values]),
    );
  };
  /** What `/metrics` has of it now: value and age. */
  const exposed = async (metric = METRIC): Promise<{ value: string; ageMs: number }[]> =>
    [...(await ask('/metrics')).text.matchAll(new RegExp(`^${metric}\\{([^}]*)\\} (\\S+) (\\d+)$`, 'gm'))]
      .filter(([, labels = '']) => labels.includes(VC) && (!labels.includes('inf=') || labels.includes('eth0')))
      .map(([, , value = '', at]) => ({ value, ageMs: clock.now - Number(at) }));
  /** What a WebSocket frame has of it now. */
  const framed = (metric = METRIC): { value: string; ageMs: number }[] => {
    const frame = metrics.watch(metric, [{ tag: 'id', value: VC }])?.frame(clock.now) ?? `{"${metric}":[]}`;
    // What is no number is not JSON.
    const records: Record<string, FrameRecord[]> = JSON.parse(frame.replaceAll('"value":NaN,', '"value":"NaN",'));
    return (records[metric] ?? [])
      .filter(
        ({ labels }) =>
          !labels.some((label) => label.startsWith('inf=')) || labels.some((label) => label.includes('eth0')),
      )
      .map(({ value, time }) => ({ value: String(value), ageMs: clock.now - time }));
  };
  await pass(10 * MINUTE);
  return { ...it, range, exposed, framed, now: () => clock.now };
}

const selector = { layer: 'metrics', metric: 'vm_net_rx_*', vm: 0 };

it('nothing is wrong without a fault', async () => {
  const { exposed, framed, range, now } = await observatory();
  expect(await exposed()).toEqual(framed());
  expect(await exposed()).toHaveLength(1);
  const values = (await range(now() - 5 * MINUTE)).get('') ?? [];
  expect(values).toHaveLength(21);
  expect(new Set(values.map(([, value]) => value)).size).toBeGreaterThan(2);
});

describe('gap', () => {
  it('leaves the series out, and only it, and heals; what is lost stays lost', async () => {
    const { arm, disarm, pass, exposed, framed, range, now } = await observatory();
    const id = await arm({ selector, effect: { do: 'gap' } });
    const began = now();
    await pass(10 * MINUTE);
    expect([await exposed(), framed()]).toEqual([[], []]);
    expect(await exposed('vm_mem_perc')).toHaveLength(1);
    await disarm(id);
    await pass(MINUTE);
    expect(await exposed()).toEqual(framed());
    expect(await exposed()).toHaveLength(1);
    const times = ((await range(began - MINUTE)).get('') ?? []).map(([time]) => time * 1000);
    // Prometheus shows the last sample for five minutes more.
    const hole = times.findIndex((time, i) => i > 0 && time - (times[i - 1] ?? 0) > 15_000);
    expect((times[hole] ?? 0) - (times[hole - 1] ?? 0)).toBeGreaterThanOrEqual(4 * MINUTE);
  });

  it('of some samples is drawn from the seed', async () => {
    const seen = async (): Promise<boolean[]> => {
      const { arm, pass, framed } = await observatory();
      await arm({ selector, trigger: { probability: 0.5 }, effect: { do: 'gap' } });
      const got: boolean[] = [];
      for (let i = 0; i < 30; i++) {
        await pass(3000);
        got.push(framed().length === 1);
      }
      return got;
    };
    const once = await seen();
    expect(new Set(once)).toEqual(new Set([true, false]));
    expect(await seen()).toEqual(once);
  });
});

describe('stale', () => {
  it('freezes the value, with timestamps that go on', async () => {
    const { arm, pass, exposed, framed, range, now } = await observatory();
    await arm({ selector, effect: { do: 'stale' } });
    const began = now();
    const [before] = await exposed();
    await pass(10 * MINUTE);
    const [after] = await exposed();
    expect(after?.value).toBe(before?.value);
    expect(after?.ageMs).toBeLessThan(5000);
    expect(framed()).toEqual([after]);
    const values = ((await range(began + MINUTE)).get('') ?? []).map(([, value]) => value);
    expect([...new Set(values)]).toEqual([before?.value]);
  });
});

describe('nan', () => {
  it('is no number anywhere', async () => {
    const { arm, pass, exposed, framed, range, now } = await observatory();
    await arm({ selector, effect: { do: 'nan' }, budget: { forMs: 5 * MINUTE } });
    const began = now();
    await pass(MINUTE);
    expect([(await exposed())[0]?.value, framed()[0]?.value]).toEqual(['NaN', 'NaN']);
    await pass(5 * MINUTE);
    expect((await exposed())[0]?.value).not.toBe('NaN');
    const values = ((await range(began)).get('') ?? []).map(([, value]) => value);
    expect(values.filter((value) => value === 'NaN').length).toBeGreaterThan(15);
  });
});

describe('spike', () => {
  it('multiplies, within its window', async () => {
    const { arm, pass, exposed, framed, range, now } = await observatory();
    const began = now();
    await arm({
      selector,
      effect: { do: 'spike', factor: 1000 },
      trigger: { window: { fromMs: MINUTE, toMs: 2 * MINUTE } },
    });
    const [plain] = await exposed();
    await pass(90_000);
    const [high] = await exposed();
    expect(Number(high?.value)).toBeGreaterThan(500 * Number(plain?.value));
    expect(framed()).toEqual([high]);
    await pass(2 * MINUTE);
    const values = ((await range(began)).get('') ?? []).map(([, value]) => Number(value));
    const highs = values.filter((value) => value > 500 * Number(plain?.value));
    expect(highs.length).toBeGreaterThanOrEqual(3);
    expect(highs.length).toBeLessThanOrEqual(5);
  });
});

describe('counter-reset', () => {
  it('lets a counter begin again, with the same rate', async () => {
    const { arm, disarm, pass, exposed, framed } = await observatory();
    const [before] = await exposed();
    const id = await arm({ selector, effect: { do: 'counter-reset' } });
    await pass(MINUTE);
    const [after] = await exposed();
    expect(Number(after?.value)).toBeLessThan(Number(before?.value) / 10);
    expect(Number(after?.value)).toBeGreaterThanOrEqual(0);
    expect(framed()).toEqual([after]);
    await disarm(id);
    await pass(3000);
    expect(Number((await exposed())[0]?.value)).toBeGreaterThanOrEqual(Number(before?.value));
  });
});

describe('clock-skew', () => {
  it.each([20 * MINUTE, -2 * MINUTE])('by %i ms gives samples the wrong time', async (ms) => {
    const { arm, pass, exposed, framed, range, now } = await observatory();
    await arm({ selector, effect: { do: 'clock-skew', ms } });
    await pass(10 * MINUTE);
    const [shown] = await exposed();
    expect(-(shown?.ageMs ?? 0)).toBeGreaterThan(ms - 5000);
    expect(-(shown?.ageMs ?? 0)).toBeLessThanOrEqual(ms);
    expect(framed()).toEqual([shown]);
    const values = (await range(now() - MINUTE)).get('') ?? [];
    expect(values.at(-1)?.[1] === shown?.value).toBe(ms < 0);
  });
});

describe('duplicate', () => {
  it('adds a series beside each, as long as it lasts', async () => {
    const { arm, disarm, pass, exposed, framed, range, now } = await observatory();
    const id = await arm({ selector, effect: { do: 'duplicate' } });
    const began = now();
    await pass(MINUTE);
    expect(await exposed()).toHaveLength(2);
    expect(framed()).toEqual(await exposed());
    expect([...(await range(began)).keys()].sort()).toEqual(['', '2']);
    await disarm(id);
    await pass(MINUTE);
    expect(await exposed()).toHaveLength(1);
  });

  it('makes one more for each fault, every one with labels of its own', async () => {
    const { arm, pass, exposed, range, now } = await observatory();
    await arm({ selector, effect: { do: 'duplicate' } });
    await arm({ selector, effect: { do: 'duplicate' } });
    const began = now();
    await pass(MINUTE);
    expect(await exposed()).toHaveLength(3);
    expect([...(await range(began)).keys()].sort()).toEqual(['', '2', '3']);
  });
});
