import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Clock } from '../../kernel/clock.ts';
import { framed } from '../../metrics/testing.ts';
import { TIMINGS } from '../../one/timing.ts';
import { createSimulator, type World } from '../../simulator.ts';
import { GATEKEEPER_DEVIATIONS } from './deviations.ts';
import { MOST_STREAMS, MOST_UNREAD_BYTES, type Sink, Streams } from './streams.ts';
import { runVnf, TODAY, userGuide, VC } from './testing.ts';

const OTHER_VC = '3f3c7a62-7b43-4f0c-9d0e-6a4a1e2f5b11';

/** Two VNFs that run; the first has been stopped after a while. */
function machines(deviations: ReadonlySet<string>, stopsAfterMs?: number): World {
  const { world } = createSimulator({ epochMs: TODAY, timing: TIMINGS.instant, deviations, furnish: userGuide });
  const { cloud, clock } = world;
  runVnf(cloud, OTHER_VC);
  if (stopsAfterMs !== undefined) {
    clock.advanceNow(stopsAfterMs);
    cloud.run(cloud.root, 'one.vm.action', 'terminate-hard', 0);
    clock.advanceNow(0);
  }
  return world;
}

const UPSTREAM: ReadonlySet<string> = new Set(GATEKEEPER_DEVIATIONS);
const running = machines(UPSTREAM);

/** Streams of these machines, which change nothing in them. Their time begins where it began for the machines. */
function start({ random, metrics, judge, journal, config: { deviations } }: World = running) {
  const clock = new Clock(TODAY);
  return { clock, metrics, streams: new Streams({ clock, journal, judge, random, metrics, deviations }) };
}

type Line = readonly [at: number, frame: string];

/** A client that keeps what it is sent, and when. */
class Reader implements Sink {
  readonly #clock: Clock;
  readonly lines: Line[] = [];
  readonly closes: (number | undefined)[] = [];
  /** Reads nothing while false. */
  reading = true;
  #unread: number;

  constructor(clock: Clock, unread = 0) {
    this.#clock = clock;
    this.#unread = unread;
  }

  garble(): void {}

  send(text: string): void {
    if (!this.reading) this.#unread += text.length;
    this.lines.push([this.#clock.now, text]);
  }

  close(code?: number): void {
    this.closes.push(code);
  }

  unread(): number {
    if (this.reading) this.#unread = 0;
    return this.#unread;
  }

  get frames(): unknown[] {
    return this.lines.map(([, text]) => JSON.parse(text));
  }
}

const OPENED = { Status: 'Socket Opened' };
const MISSPELT = { Error: 'Current version doesnt support incomming messages' };
const FILTERS = [`id='${VC}'`, "type='vnf'"];

const cpu = { vm_cpu_perc: [expect.anything(), expect.anything()] };

function opened(world: ReturnType<typeof start>, metrics: string[] = ['vm_cpu_perc'], filters = FILTERS) {
  const reader = new Reader(world.clock);
  const id = world.streams.open(metrics, filters) ?? '';
  return { id, reader, connection: world.streams.connect(id, reader) };
}

describe('a stream', () => {
  test('has an id of 32 hexadecimal digits, of a UUID of version 4', () => {
    const { streams } = start();
    expect(streams.open(['vm_up'], FILTERS)).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  test('begins with a greeting; then there is a frame every 3 s, the first within 3 s (W1)', async () => {
    const world = start();
    await world.clock.advance(1000);
    const { reader } = opened(world);
    expect(reader.frames).toEqual([OPENED]);
    await world.clock.advance(1999);
    expect(reader.frames).toEqual([OPENED]);
    await world.clock.advance(1);
    expect(reader.frames).toEqual([OPENED, cpu]);
    await world.clock.advance(60_000);
    expect(reader.frames).toEqual([OPENED, ...Array.from({ length: 21 }, () => cpu)]);
    expect(reader.lines.slice(1).map(([at]) => at % 3000)).toEqual(Array.from({ length: 21 }, () => TODAY % 3000));
  });

  test('has frames as the real server writes them', async () => {
    const world = start();
    const { reader } = opened(world);
    await world.clock.advance(3000);
    const record = (core: string) => ({
      labels: [`core="${core}"`, `id="${VC}"`, 'instance="vtc-vnf"', 'job="vnf"'],
      value: expect.any(Number),
      time: expect.any(Number),
    });
    const [, frame] = reader.frames as [unknown, { vm_cpu_perc: { time: number }[] }];
    expect(frame).toEqual({ vm_cpu_perc: [record('cpu'), record('cpu0')] });
    for (const { time } of frame.vm_cpu_perc) {
      expect(time % 1000).toBe(0);
      expect(world.clock.now - time).toBeLessThan(3000);
    }
  });

  test('shows what the history shows, at the same instant', async () => {
    const world = start();
    const { reader } = opened(world, ['vm_mem_perc']);
    await world.clock.advance(30_000);
    const records = reader.frames.slice(1) as { vm_mem_perc: { value: number; time: number }[] }[];
    await world.clock.advance(60_000);
    let compared = 0;
    for (const {
      vm_mem_perc: [record],
    } of records) {
      const at = record?.time ?? 0;
      const range = { since: at, until: at, step: 1000 };
      const [row] = world.metrics.range('vm_mem_perc', { id: VC }, range, world.clock.now);
      // The history has every fifth push.
      const frame = framed(world.metrics, 'vm_mem_perc', [{ tag: 'id', value: VC }], at);
      expect(frame?.[0]).toMatchObject(record ?? {});
      if (row?.values[0]?.[1] === `${record?.value}`) compared++;
    }
    expect(compared).toBeGreaterThanOrEqual(2);
  });

  test('answers messages, and goes on (W2)', async () => {
    const world = start();
    const { reader, connection } = opened(world);
    connection.receive();
    await world.clock.advance(3000);
    connection.receive();
    await world.clock.advance(3000);
    expect(reader.frames).toEqual([OPENED, MISSPELT, cpu, MISSPELT, cpu]);
  });

  test('that does not exist says so, and is closed without a code (W1)', () => {
    const world = start();
    const reader = new Reader(world.clock);
    const connection = world.streams.connect('0123456789abcdef0123456789abcdef', reader);
    expect(reader.frames).toEqual([{ Status: 'Socket NOT found' }]);
    expect(reader.closes).toEqual([undefined]);
    connection.receive();
    connection.closed();
    expect(reader.frames).toHaveLength(1);
  });

  test('is gone when its connection has closed (W3)', () => {
    const world = start();
    const { id, connection } = opened(world);
    connection.closed();
    const again = new Reader(world.clock);
    world.streams.connect(id, again);
    expect(again.frames).toEqual([{ Status: 'Socket NOT found' }]);
  });

  test('that is opened twice feeds the newest; when either closes, the id is gone and the other falls silent', async () => {
    const world = start();
    const { id, reader: first, connection } = opened(world);
    await world.clock.advance(3000);
    const second = new Reader(world.clock);
    const newest = world.streams.connect(id, second);
    await world.clock.advance(3000);
    expect(first.frames).toEqual([OPENED, cpu]);
    expect(second.frames).toEqual([OPENED, cpu]);
    connection.closed();
    await world.clock.advance(9000);
    expect(second.frames).toEqual([OPENED, cpu]);
    newest.receive();
    expect(second.frames).toEqual([OPENED, cpu, MISSPELT]);
    const third = new Reader(world.clock);
    world.streams.connect(id, third);
    expect(third.frames).toEqual([{ Status: 'Socket NOT found' }]);
  });

  test('of a metric that nobody pushes has no frames', async () => {
    const world = start();
    const { reader } = opened(world, ['never_seen']);
    await world.clock.advance(30_000);
    expect(reader.frames).toEqual([OPENED]);
  });

  test('whose filters nothing passes has empty frames', async () => {
    const world = start();
    const { reader } = opened(world, ['vm_up'], ["id='nobody'", "type='vnf'"]);
    await world.clock.advance(6000);
    expect(reader.frames).toEqual([OPENED, { vm_up: [] }, { vm_up: [] }]);
  });

  test('of a machine that has stopped repeats its last push, with its time', async () => {
    const world = start(machines(UPSTREAM, 10_000));
    const { reader } = opened(world, ['vm_up']);
    await world.clock.advance(60_000);
    const times = (reader.frames.slice(1) as { vm_up: { time: number }[] }[]).map(({ vm_up: [up] }) => up?.time ?? 0);
    expect(times).toHaveLength(20);
    expect(new Set(times.slice(3))).toEqual(new Set([times.at(-1)]));
    expect(times.at(-1)).toBeLessThan(TODAY + 10_000);
  });

  test('shows a value that is no number as the real server writes it, which is not JSON, until the fault has gone', async () => {
    const broken = machines(UPSTREAM);
    const world = start(broken);
    const { reader } = opened(world, ['vm_mem_perc']);
    const selector = { layer: 'metrics', metric: 'vm_mem_perc' } as const;
    broken.judge.arm({ selector, effect: { do: 'nan' }, budget: { forMs: 60_000 } });
    await broken.clock.advance(70_000);
    await world.clock.advance(70_000);
    const values = reader.lines.slice(1).map(([, frame]) => /"value":(.+?),"time":\d+\}\]\}$/.exec(frame)?.[1]);
    expect(values).toHaveLength(23);
    expect(values.filter((value) => value === 'NaN').length).toBeGreaterThanOrEqual(19);
    expect(Number(values[0] === 'NaN' ? values.at(-1) : values[0])).toBeGreaterThan(0);
    expect(Number(values.at(-1))).toBeGreaterThan(0);
    expect(() => JSON.parse(reader.lines[10]?.[1] ?? '')).toThrow('NaN');
  });

  test('with the same filters as others, and its own, is sent the same bytes as if it were alone', async () => {
    const world = start();
    const filters = [FILTERS, [], ["type='vnf'"], FILTERS, [`id='${OTHER_VC}'`], []];
    const readers = filters.map((each) => opened(world, ['vm_cpu_perc'], each));
    await world.clock.advance(6000);
    readers[0]?.connection.closed();
    readers[1]?.connection.closed();
    await world.clock.advance(6000);
    for (const [i, { reader }] of readers.entries()) {
      const alone = start();
      const only = opened(alone, ['vm_cpu_perc'], filters[i]);
      await alone.clock.advance(i < 2 ? 6000 : 12_000);
      expect(reader.lines).toEqual(only.reader.lines);
    }
  });

  test('without deviations carries every metric, labels of the history, and a reply in English', async () => {
    const world = start(machines(new Set()));
    const { reader, connection } = opened(world, ['vm_cpu_perc', 'vm_up']);
    connection.receive();
    await world.clock.advance(3000);
    const [, reply, first, second] = reader.frames;
    expect(reply).toEqual({ Error: 'Current version does not support incoming messages' });
    expect(Object.keys(first ?? {})).toEqual(['vm_cpu_perc']);
    expect(second).toMatchObject({ vm_up: [{ labels: expect.arrayContaining(['exported_job="vnf"']) }] });
  });
});

describe('streams', () => {
  test('keep no event in the queue while nobody reads', async () => {
    const world = start();
    expect(world.clock.pending).toBe(0);
    const readers = [opened(world), opened(world)];
    expect(world.clock.pending).toBe(1);
    await world.clock.advance(10_000);
    expect(world.clock.pending).toBe(1);
    for (const { connection } of readers) connection.closed();
    expect(world.clock.pending).toBe(0);
    opened(world);
    expect(world.clock.pending).toBe(1);
  });

  test('that nobody reads are forgotten after an hour', async () => {
    const world = start();
    const id = world.streams.open(['vm_up'], FILTERS) ?? '';
    await world.clock.advance(3_600_000);
    const late = new Reader(world.clock);
    world.streams.connect(id, late);
    expect(late.frames).toEqual([{ Status: 'Socket NOT found' }]);
  });

  test('are refused when there are too many, until some are forgotten or closed', async () => {
    const world = start();
    const { connection } = opened(world);
    for (let i = 1; i < MOST_STREAMS; i++) expect(world.streams.open(['vm_up'], [])).not.toBeNull();
    expect(world.streams.open(['vm_up'], [])).toBeNull();
    connection.closed();
    expect(world.streams.open(['vm_up'], [])).not.toBeNull();
    expect(world.streams.open(['vm_up'], [])).toBeNull();
    await world.clock.advance(3_600_000);
    expect(world.streams.open(['vm_up'], [])).not.toBeNull();
  });

  test('are bounded for a client that never reads, and go on when it does', async () => {
    const world = start();
    const { reader, connection } = opened(world);
    const { reader: healthy } = opened(world);
    reader.reading = false;
    for (let i = 0; i < 100_000; i++) connection.receive();
    await world.clock.advance(6_000_000);
    expect(reader.unread()).toBeLessThan(MOST_UNREAD_BYTES + 1000);
    expect(healthy.frames).toHaveLength(2001);
    const before = reader.lines.length;
    reader.reading = true;
    await world.clock.advance(3000);
    expect(reader.lines).toHaveLength(before + 1);
  });

  test('are bounded for a thousand clients that never read, and nobody else misses a frame', async () => {
    const world = start();
    const { reader: healthy } = opened(world);
    // Each has left much unread before, and now reads nothing more.
    const silent = Array.from({ length: 1000 }, () => new Reader(world.clock, MOST_UNREAD_BYTES - 1000));
    for (const reader of silent) {
      reader.reading = false;
      world.streams.connect(world.streams.open(['vm_cpu_perc'], FILTERS) ?? '', reader);
    }
    await world.clock.advance(60_000);
    for (const reader of silent) {
      expect(reader.unread()).toBeGreaterThan(MOST_UNREAD_BYTES);
      expect(reader.unread()).toBeLessThan(MOST_UNREAD_BYTES + 1000);
      expect(reader.lines.length).toBeLessThan(10);
    }
    expect(healthy.frames).toHaveLength(21);
  });

  test('have ids that the ids before them do not tell, and those of another seed do neither', () => {
    const { streams } = start();
    const other = start(createSimulator({ epochMs: TODAY, seed: 2, furnish: userGuide }).world);
    const bitsOf = (of: Streams): string =>
      BigInt(`0x${of.open(['vm_up'], [])}`)
        .toString(2)
        .padStart(128, '0');
    const ids = Array.from({ length: 1000 }, () => bitsOf(streams));
    expect(new Set(ids).size).toBe(1000);
    const apart = (one = '', two = ''): number => [...one].filter((bit, i) => bit !== two[i]).length;
    const distances = ids.slice(1).map((id, i) => apart(id, ids[i]));
    // Of 122 bits that are free about half differ: the chance of fewer than 25 is one in ten thousand millions.
    expect(Math.min(...distances)).toBeGreaterThan(25);
    expect(Math.max(...distances)).toBeLessThan(97);
    expect(apart(bitsOf(other.streams), ids[0])).toBeGreaterThan(25);
  });

  test('are all closed at once', async () => {
    const world = start();
    const { id, reader } = opened(world);
    const second = new Reader(world.clock);
    world.streams.connect(id, second);
    const unread = world.streams.open(['vm_up'], FILTERS) ?? '';
    world.streams.closeAll(1001);
    expect([...reader.closes, ...second.closes]).toEqual([1001, 1001]);
    expect(world.clock.pending).toBe(0);
    await world.clock.advance(9000);
    expect(reader.frames).toEqual([OPENED]);
    const late = new Reader(world.clock);
    world.streams.connect(unread, late);
    expect(late.frames).toEqual([{ Status: 'Socket NOT found' }]);
  });

  test('do not move one another: a client sees the same with and without others', async () => {
    const alone = start();
    const crowded = start();
    await Promise.all([alone, crowded].map(({ clock }) => clock.advance(700)));
    opened(crowded);
    await Promise.all([alone, crowded].map(({ clock }) => clock.advance(1700)));
    const [one, two] = [alone, crowded].map((world) => opened(world).reader);
    await Promise.all([alone, crowded].map(({ clock }) => clock.advance(20_000)));
    expect(two?.lines).toEqual(one?.lines);
  });
});

type Act = { readonly do: 'open' | 'connect' | 'message' | 'close'; readonly who: number } | { readonly wait: number };

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom('open', 'connect', 'message', 'close'), who: fc.nat(3) }),
    fc.record({ wait: fc.integer({ min: 1, max: 10_000 }) }),
  ),
  { maxLength: 60, size: 'max' },
);

test('whatever clients do, each sees a greeting, its own samples in order, and nothing after its end (W1–W4)', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      const world = start();
      const ids: (string | undefined)[] = [];
      const used = new Set<string>();
      const clients: {
        who: number;
        known: boolean;
        reader: Reader;
        connection: { receive(): void; closed(): void };
      }[] = [];
      const ended = new Map<Reader, number>();
      for (const act of history) {
        if ('wait' in act) {
          await world.clock.advance(act.wait);
          continue;
        }
        const { who } = act;
        const client = clients.findLast((one) => one.who === who);
        if (act.do === 'open')
          ids[who] = world.streams.open(['vm_cpu_perc'], [`id='${who % 2 ? OTHER_VC : VC}'`]) ?? '';
        else if (act.do === 'connect') {
          const reader = new Reader(world.clock);
          const id = ids[who] ?? 'none';
          clients.push({
            who,
            known: ids[who] !== undefined && !used.has(id),
            reader,
            connection: world.streams.connect(id, reader),
          });
        } else if (client !== undefined && !ended.has(client.reader)) {
          const before = client.reader.lines.length;
          if (act.do === 'message') {
            client.connection.receive();
            const reply = client.reader.frames.slice(before);
            expect(reply).toEqual(client.known ? [MISSPELT] : []);
          } else {
            client.connection.closed();
            ended.set(client.reader, before);
            const id = ids[who];
            if (client.known && id !== undefined) used.add(id);
          }
        }
      }
      await world.clock.advance(10_000);
      for (const { who, known, reader } of clients) {
        const [first, ...rest] = reader.frames;
        expect(first).toEqual(known ? OPENED : { Status: 'Socket NOT found' });
        const samples = rest.filter((frame) => !('Error' in (frame as object))) as {
          vm_cpu_perc: { labels: string[]; time: number }[];
        }[];
        const times = samples.flatMap(({ vm_cpu_perc: [total] }) => total?.time ?? []);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        const own = `id="${who % 2 ? OTHER_VC : VC}"`;
        for (const { vm_cpu_perc: records } of samples) for (const { labels } of records) expect(labels).toContain(own);
        expect(reader.lines.length).toBe(ended.get(reader) ?? reader.lines.length);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});
