/** What faults of the layer `websocket` do to a connection: frames that do not come, or not as they were sent. */
import type { Fault } from '../../faults/fault.ts';
import type { Judge } from '../../faults/judge.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Journal } from '../../kernel/journal.ts';
import type { Sink } from './streams.ts';

export interface Breakable {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly judge: Judge;
}

/** Why a server closes that has run into something. */
const INTERNAL_ERROR = 1011;

/** HTTP status of an upgrade that a fault refuses; `undefined` lets it be. */
export function upgradeRefusal(world: Breakable, path: string): number | undefined {
  if (!world.judge.armed('websocket')) return undefined;
  const verdict = world.judge.judge({ layer: 'websocket', api: 'gatekeeper', operation: 'upgrade' });
  if (verdict?.effect.do !== 'refuse-upgrade') return undefined;
  touch(world, verdict.fault, path);
  return verdict.effect.status ?? 503;
}

/** Whether a ping is answered. */
export function isPonged(world: Breakable, metrics: readonly string[], subject: string): boolean {
  if (!world.judge.armed('websocket')) return true;
  const verdict = world.judge.judge({ layer: 'websocket', api: 'gatekeeper', operation: 'pong', metric: metrics });
  if (verdict === undefined) return true;
  touch(world, verdict.fault, subject);
  return false;
}

/** A connection as the faults leave it. @param metrics those it shows */
export function breakable(sink: Sink, world: Breakable, metrics: readonly string[], subject: string): Sink {
  const { clock, judge } = world;
  /** The fault that has silenced it; its removal heals. */
  let silence = '';
  /** Frames that the next one overtakes. */
  let overtaken: string[] = [];

  function pass(text: string): void {
    sink.send(text);
    if (overtaken.length === 0) return;
    const late = overtaken;
    overtaken = [];
    for (const each of late) sink.send(each);
  }

  function send(text: string, metric?: string): void {
    if (silence !== '' && judge.find(silence) === undefined) silence = '';
    if (silence !== '') return;
    const facts = { layer: 'websocket', api: 'gatekeeper', operation: 'frame' } as const;
    const verdict = judge.armed('websocket') ? judge.judge({ ...facts, metric: metric ?? metrics }) : undefined;
    if (verdict === undefined) {
      pass(text);
      return;
    }
    const { fault, effect } = verdict;
    touch(world, fault, subject);
    switch (effect.do) {
      case 'silence':
        silence = fault.id;
        break;
      case 'close':
        sink.close(effect.code ?? INTERNAL_ERROR);
        break;
      case 'drop':
        break;
      case 'duplicate':
        pass(text);
        sink.send(text);
        break;
      case 'reorder':
        overtaken.push(text);
        break;
      case 'delay':
        // A world that ends meanwhile has closed the connection.
        clock.sleep(effect.ms, `a frame of ${subject}: fault ${fault.id}`).then(
          () => sink.send(text),
          () => {},
        );
        break;
      case 'bad-frame':
        sink.garble();
        break;
      default:
        pass(text);
    }
  }

  return {
    send,
    garble: () => sink.garble(),
    close: (code) => sink.close(code),
    unread: () => sink.unread(),
  };
}

function touch({ journal }: Breakable, { id, effect }: Fault<'websocket'>, subject: string): void {
  journal.append('fault', subject, { fault: id, do: effect.do });
}
