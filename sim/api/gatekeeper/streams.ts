/**
 * Live monitoring data: streams that are opened by a request and read over a WebSocket, whatever carries it. Mirrors
 * `son-monitor`'s WebSocket server, which shows its clients the Pushgateway every 3 s.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Timer } from '../../kernel/queue.ts';
import type { Random } from '../../kernel/random.ts';
import { type Filter, parseFilters } from '../../metrics/frame.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Watch } from '../../metrics/watch.ts';
import type { Deviations } from './deviations.ts';
import { type Breakable, breakable, isPonged, upgradeRefusal } from './stream-faults.ts';

const TICK_MS = 3000;

/** A stream that nobody opens is forgotten after this time. */
const UNUSED_MS = 3_600_000;

/** More streams than these are refused. */
export const MOST_STREAMS = 20_000;

/** A client that leaves more than this unread is sent nothing until it has read some of it. */
export const MOST_UNREAD_BYTES = 512 * 1024;

/** Where the frames of a connection go. */
export interface Sink {
  /** @param metric the one that the text shows */
  send(text: string, metric?: string): void;
  /** Sends what is no frame. */
  garble(): void;
  /** Without a code: as the server closes that gives no reason. */
  close(code?: number): void;
  /** Bytes that have been sent and not been taken yet. */
  unread(): number;
}

/** What its transport tells a connection. */
export interface Connection {
  /** A message has come. */
  receive(): void;
  /** Whether a ping is to be answered. */
  pinged(): boolean;
  closed(): void;
}

interface Stream {
  readonly id: string;
  readonly metrics: readonly string[];
  readonly filters: readonly Filter[];
  /** Equal for streams with equal filters. */
  readonly filterKey: string;
  readonly openedAt: number;
}

/** A metric that streams with equal filters show, all of them the same. */
interface Shown {
  readonly key: string;
  readonly metric: string;
  /** null where nobody will ever push it. */
  readonly watch: Watch | null;
  streams: number;
  /** That of the tick that is on. */
  frame: string | null | undefined;
}

/** A stream that is read. */
interface Read {
  /** Its newest connection; the others get no data. */
  sink: Sink;
  readonly shows: readonly Shown[];
}

interface StreamsWorld extends Breakable {
  readonly random: Random;
  readonly metrics: Metrics;
  readonly deviations: Deviations;
}

interface StreamsState {
  readonly opened: number;
  readonly unused: Map<string, Stream>;
  readonly timer: Timer | null;
}

export class Streams {
  readonly #world: Breakable;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #metrics: Metrics;
  readonly #reply: string;
  readonly #schedule: (delayMs: number, event: null) => Timer;
  #timer: Timer | null = null;
  #opened = 0;
  /** Oldest first; not yet read by anyone. */
  #unused = new Map<string, Stream>();
  readonly #live = new Map<Stream, Read>();
  readonly #liveIds = new Map<string, Stream>();
  /** By metric and filters. */
  readonly #shown = new Map<string, Shown>();
  readonly #connections = new Set<Sink>();

  constructor({ clock, journal, judge, random, metrics, deviations }: StreamsWorld) {
    this.#world = { clock, journal, judge };
    this.#clock = clock;
    this.#random = random;
    this.#metrics = metrics;
    this.#reply = deviations.has('stream-misspelt-reply')
      ? 'Current version doesnt support incomming messages'
      : 'Current version does not support incoming messages';
    this.#schedule = clock.channel('gatekeeper.stream', () => this.#tick());
  }

  /** Streams that nobody reads yet; one that is read belongs to its connection. */
  state(): StreamsState {
    return { opened: this.#opened, unused: this.#unused, timer: this.#timer };
  }

  restore({ opened, unused, timer }: StreamsState): void {
    this.#opened = opened;
    this.#unused = unused;
    // It was for connections that are not of this world.
    if (timer !== null) this.#clock.cancel(timer);
  }

  /** Makes a stream of some metrics and returns its id; null when there are too many. */
  open(metrics: readonly string[], filters: readonly string[]): string | null {
    this.#forgetUnused();
    if (this.#unused.size + this.#live.size >= MOST_STREAMS) return null;
    const id = this.#random.uuid('gatekeeper.stream', this.#opened++).replaceAll('-', '');
    const parsed = parseFilters(filters);
    const filterKey = JSON.stringify(parsed);
    this.#unused.set(id, { id, metrics, filters: parsed, filterKey, openedAt: this.#clock.now });
    return id;
  }

  /** HTTP status with which an upgrade is refused; `undefined`: it is not. */
  refusal(path: string): number | undefined {
    return upgradeRefusal(this.#world, path);
  }

  /** Connects a client. An id is used up when the first of its connections closes. */
  connect(id: string, to: Sink): Connection {
    this.#forgetUnused();
    const stream = this.#unused.get(id) ?? this.#liveIds.get(id);
    const metrics = stream?.metrics ?? [];
    const subject = `ws/${stream === undefined ? '' : id}`;
    const sink = breakable(to, this.#world, metrics, subject);
    const pinged = (): boolean => isPonged(this.#world, metrics, subject);
    this.#connections.add(sink);
    if (stream === undefined) {
      sink.send(text({ Status: 'Socket NOT found' }));
      sink.close();
      return { receive: () => {}, pinged, closed: () => this.#connections.delete(sink) };
    }
    this.#unused.delete(id);
    const read = this.#live.get(stream);
    if (read !== undefined) read.sink = sink;
    else this.#live.set(stream, { sink, shows: metrics.map((metric) => this.#show(metric, stream)) });
    this.#liveIds.set(id, stream);
    sink.send(text({ Status: 'Socket Opened' }));
    this.#timer ??= this.#scheduleTick();
    return {
      receive: () => this.#sendUnlessFull(sink, text({ Error: this.#reply })),
      pinged,
      closed: () => {
        this.#connections.delete(sink);
        this.#end(stream);
      },
    };
  }

  /** Closes every connection and forgets every stream. */
  closeAll(code: number): void {
    this.#unused.clear();
    for (const stream of this.#live.keys()) this.#end(stream);
    for (const sink of this.#connections) sink.close(code);
    this.#connections.clear();
  }

  #show(metric: string, { filters, filterKey }: Stream): Shown {
    const key = `${metric} ${filterKey}`;
    const known = this.#shown.get(key);
    if (known !== undefined) {
      known.streams++;
      return known;
    }
    const watch = this.#metrics.watch(metric, filters);
    watch?.prepare(this.#clock.now);
    const shown: Shown = { key, metric, watch, streams: 1, frame: undefined };
    this.#shown.set(key, shown);
    return shown;
  }

  #end(stream: Stream): void {
    for (const shown of this.#live.get(stream)?.shows ?? []) {
      if (--shown.streams === 0) this.#shown.delete(shown.key);
    }
    this.#live.delete(stream);
    this.#liveIds.delete(stream.id);
    if (this.#live.size > 0 || this.#timer === null) return;
    this.#clock.cancel(this.#timer);
    this.#timer = null;
  }

  /** One timer for all, on a grid of its own, so that no client moves another's frames. */
  #scheduleTick(): Timer {
    return this.#schedule(TICK_MS - (this.#clock.now % TICK_MS), null);
  }

  #tick(): void {
    const { now } = this.#clock;
    const shared: Shown[] = [];
    for (const { sink, shows } of this.#live.values()) {
      for (const shown of shows) {
        const frame = shown.frame === undefined ? (shown.watch?.frame(now) ?? null) : shown.frame;
        // Those that nobody else sees are not kept: together they may be large.
        if (shown.streams > 1 && shown.frame === undefined) {
          shown.frame = frame;
          shared.push(shown);
        }
        if (frame !== null) this.#sendUnlessFull(sink, frame, shown.metric);
      }
    }
    for (const shown of shared) shown.frame = undefined;
    this.#timer = this.#scheduleTick();
  }

  #sendUnlessFull(sink: Sink, frame: string, metric?: string): void {
    if (sink.unread() <= MOST_UNREAD_BYTES) sink.send(frame, metric);
  }

  #forgetUnused(): void {
    for (const { id, openedAt } of this.#unused.values()) {
      if (this.#clock.now - openedAt < UNUSED_MS) break;
      this.#unused.delete(id);
    }
  }
}

const text = (value: object): string => JSON.stringify(value);
