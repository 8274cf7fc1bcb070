/** The laws of live measurements: streams that are opened by their id, and what passes over them. */

import { legible } from '../answers.ts';
import type { Breach, Law } from '../law.ts';
import { faultsOf } from '../scenario.ts';
import type { Answered, Story } from '../story.ts';
import type { StreamLine } from '../trace.ts';
import { labelsIn } from '../watching/exposition-text.ts';
import { anyChangesAt } from '../watching/guest-life.ts';
import { measuredIn, recordsIn } from '../watching/measured.ts';

/** What was asked for with a stream. */
interface Opened {
  readonly exchange: Answered;
  readonly metrics: readonly string[];
  readonly vc: string;
}

/** All that passed over one connection, in order. */
interface Connection {
  readonly stream: string;
  readonly asked: StreamLine;
  readonly lines: readonly StreamLine[];
  /** What it is a stream of; undefined when nobody has asked for one of that id. */
  readonly of: Opened | undefined;
  /** Earlier connections of the same stream. */
  readonly earlier: readonly Connection[];
}

const GREETING = '{"Status":"Socket Opened"}';
const REFUSAL = '{"Status":"Socket NOT found"}';
const REPLY = {
  upstream: '{"Error":"Current version doesnt support incomming messages"}',
  contract: '{"Error":"Current version does not support incoming messages"}',
} as const;

/** Whether a frame is what a server says in words of its own. */
const isSaid = ({ text }: StreamLine): boolean =>
  text === GREETING || text === REFUSAL || Object.values<string | null>(REPLY).includes(text);

/** A stream that nobody opens is forgotten some day. */
const KEPT_MS = 3_600_000;

/** How long what a server has sent may be on its way, over a network. */
const ON_ITS_WAY_MS = 1_000;

const known = new WeakMap<Story, readonly Connection[]>();

/** Connections that no fault has touched. */
function connectionsIn(story: Story): readonly Connection[] {
  const before = known.get(story);
  if (before !== undefined) return before;
  const opened = openedIn(story);
  const connections: Connection[] = [];
  const touched = touchedIn(story);
  const isEverTouched = !story.omniscient && isAnyBroken(story);
  for (const asked of story.streamed) {
    const { stream, step } = asked;
    if (asked.event !== 'asked') continue;
    const lines = story.streamed.filter((line) => line.step === step && line !== asked);
    const earlier = connections.filter((each) => each.stream === stream);
    connections.push({ stream, asked, lines, of: opened.get(stream), earlier });
  }
  // Those that lead nowhere have no name of their own.
  const isNameless = ({ of, earlier }: Connection): boolean => of === undefined || earlier.length > 0;
  const untouched = connections.filter(
    (each) => !isEverTouched && !touched.has(each.stream) && !(touched.has('') && isNameless(each)),
  );
  known.set(story, untouched);
  return untouched;
}

interface LiveAnswer {
  readonly ws_url?: unknown;
  readonly metrics?: readonly string[];
  readonly vc_uuid?: string;
}

function openedIn(story: Story): ReadonlyMap<string, Opened> {
  const opened = new Map<string, Opened>();
  for (const exchange of story.exchanges) {
    if (exchange.op !== 'metrics.synch' || exchange.response?.status !== 200) continue;
    const { body } = exchange.response;
    const { ws_url: address, metrics = [], vc_uuid: vc = '' } = legible((): LiveAnswer => JSON.parse(body)) ?? {};
    const [, id] = /\/ws\/([^/]+)$/.exec(`${address}`) ?? [];
    if (id !== undefined) opened.set(id, { exchange: exchange as Answered, metrics, vc });
  }
  return opened;
}

/** The ids of streams of which a fault has touched a connection; those that were not found have none of their own. */
function touchedIn({ entries }: Story): ReadonlySet<string> {
  const subjects = entries.filter(({ kind, subject }) => kind === 'fault' && /^\/?ws\//.test(subject));
  return new Set(subjects.map(({ subject }) => subject.replace(/^\/?ws\//, '')));
}

const isAnyBroken = ({ run }: Story): boolean =>
  faultsOf(run.scenario).some((each) => each.kind === 'declared' && each.fault.selector.layer === 'websocket');

const frames = ({ lines }: Connection): readonly StreamLine[] => lines.filter(({ event }) => event === 'frame');

/** When a connection ended, by its place among all lines of its stream. */
const endOf = ({ lines }: Connection): StreamLine | undefined =>
  lines.find(({ event }) => event === 'left' || event === 'closed' || event === 'refused');

const shown = ({ stream, asked }: Connection, breach: Omit<Breach, 'at' | 'subject'>, at = asked.at): Breach => ({
  at,
  subject: `stream ${stream}, connection ${asked.step}`,
  ...breach,
});

/** What a client is told that asks for a stream which is not there, or not any more. */
const said = ({ lines }: Connection): string =>
  lines
    .slice(0, 2)
    .map(({ event, text, code }) => text ?? `${event} ${code ?? ''}`.trim())
    .join(', then ') || 'nothing';

const isTurnedAway = (connection: Connection): boolean => {
  const [first, second] = connection.lines;
  return first?.text === REFUSAL && second?.event === 'closed' && connection.lines.length === 2;
};

/** Whether an earlier connection of the stream was over before this one was asked for. */
const isUsedUp = (story: Story, { asked, earlier }: Connection): boolean =>
  earlier.some((each) => {
    const end = endOf(each);
    return end !== undefined && story.streamed.indexOf(end) < story.streamed.indexOf(asked);
  });

export const STREAMS: readonly Law[] = [
  {
    id: 'W1',
    sentence:
      'The first frame says that the socket is opened; for an id that nobody has given, that it was not found, and the server closes.',
    reason: 'It is all that tells a client that it listens to something.',
    judge(story, check) {
      for (const connection of connectionsIn(story)) {
        if (isUsedUp(story, connection)) continue;
        const { of, asked, lines } = connection;
        if (of !== undefined && asked.at - of.exchange.at >= KEPT_MS) continue;
        const holds = of === undefined ? isTurnedAway(connection) : lines[0]?.text === GREETING;
        check(holds, () =>
          shown(connection, {
            expected: of === undefined ? `${REFUSAL}, then closed` : GREETING,
            seen: said(connection),
            edge: of === undefined ? 'unknown' : 'known',
          }),
        );
      }
    },
  },
  {
    id: 'W2',
    sentence: 'A message from the client is answered with an error, and the stream goes on.',
    reason: 'A client that speaks out of turn must not lose what it listens to.',
    judge(story, check) {
      const reply = REPLY[story.deviations.has('stream-misspelt-reply') ? 'upstream' : 'contract'];
      for (const connection of connectionsIn(story)) {
        const { lines } = connection;
        const over = lines.findIndex(({ event }) => event === 'left' || event === 'closed');
        for (const [n, { event, at }] of lines.entries()) {
          if (event !== 'sent' || (over >= 0 && n > over)) continue;
          // Over a network, measurements may come between, and so may the end.
          if (!story.omniscient && lines.slice(n + 1).every((line) => line.event !== 'frame')) continue;
          const answer = story.omniscient ? lines[n + 1] : lines.slice(n + 1).find(({ text }) => text === reply);
          check(answer?.text === reply && (answer.at === at || !story.omniscient), () =>
            shown(connection, { expected: reply, seen: answer?.text ?? 'nothing', edge: 'reply' }, at),
          );
          check(lines[n + 2]?.event !== 'closed', () =>
            shown(connection, { expected: 'that the stream goes on', seen: 'closed', edge: 'end' }, at),
          );
        }
      }
    },
  },
  {
    id: 'W3',
    sentence:
      'An id is good for one connection: once that is over, the stream is not found any more. No two streams have one id.',
    reason: 'An address that has leaked must not be good for ever.',
    judge(story, check) {
      const given = new Set<string>();
      for (const { op, response } of story.answered) {
        const [, id] = op === 'metrics.synch' ? (/\/ws\/([0-9a-f]+)"/.exec(response.body) ?? []) : [];
        if (id === undefined) continue;
        check(!given.has(id), () => ({ at: 0, subject: `stream ${id}`, expected: 'a new id', seen: id, edge: 'id' }));
        given.add(id);
      }
      for (const connection of connectionsIn(story)) {
        if (!isUsedUp(story, connection)) continue;
        check(isTurnedAway(connection), () =>
          shown(connection, { expected: `${REFUSAL}, then closed`, seen: said(connection), edge: 'again' }),
        );
      }
    },
  },
  {
    id: 'W4',
    sentence: 'A stream shows what was asked for and nothing else, in the order of time, and nothing after its end.',
    reason: 'Another’s measurements, or those of before, would be taken for the present.',
    judge(story, check) {
      const { troubledFromMs, skewMs } = measuredIn(story);
      const nowOf = ({ at }: StreamLine): number => story.run.epochMs + at;
      for (const connection of connectionsIn(story)) {
        const { of, lines } = connection;
        const end = endOf(connection);
        const late =
          end === undefined ? undefined : lines.slice(lines.indexOf(end) + 1).find(({ event }) => event === 'frame');
        check(late === undefined, () =>
          shown(connection, { expected: 'nothing after the end', seen: `${late?.text}`, edge: 'late' }, late?.at),
        );
        if (of === undefined) continue;
        const newest = new Map<string, number>();
        for (const line of frames(connection)) {
          const frame = recordsIn(line);
          check(frame !== undefined || isSaid(line), () =>
            shown(connection, { expected: 'measurements', seen: `${line.text?.slice(0, 200)}`, edge: 'form' }, line.at),
          );
          if (frame === undefined) continue;
          const { metric, records } = frame;
          check(of.metrics.includes(metric), () =>
            shown(connection, { expected: of.metrics.join(', '), seen: metric, edge: 'metric' }, line.at),
          );
          for (const { labels, time } of records) {
            const key = `${metric} ${labels.join(',')}`;
            const last = newest.get(key) ?? time;
            newest.set(key, time);
            const isOwn = labelsIn(labels.join(','))?.id === of.vc;
            const isToCome = story.omniscient && time > nowOf(line) && nowOf(line) < troubledFromMs;
            // What was shown in the very instant in which its machine has stopped was never measured, as is found then.
            const isInOrder = time >= last - skewMs || anyChangesAt(story, last);
            const isInTime = isInOrder && !isToCome;
            check(isOwn && isInTime, () =>
              shown(
                connection,
                {
                  expected: isOwn ? `nothing older than ${last}, or to come` : `only ${of.vc}`,
                  seen: isOwn ? `${key} of ${time}` : key,
                  edge: isOwn ? 'order' : 'foreign',
                },
                line.at,
              ),
            );
          }
        }
      }
    },
  },
  {
    id: 'W5',
    sentence:
      'Of two connections of one stream only the newer one is sent measurements, and when one is over, neither is.',
    reason: 'Whoever took over an address must not be listened to in silence.',
    judge(story, check) {
      const at = (line: StreamLine): number => story.streamed.indexOf(line);
      const isPast = (line: StreamLine, event: StreamLine | undefined): boolean =>
        event !== undefined && at(line) > at(event) && (story.omniscient || line.at > event.at + ON_ITS_WAY_MS);
      for (const connection of connectionsIn(story)) {
        const [greeting] = frames(connection);
        for (const earlier of connection.earlier) {
          const ends = [endOf(connection), endOf(earlier)].filter((end) => end !== undefined);
          if (ends.some((end) => at(end) < at(connection.asked))) continue;
          const over = ends.sort((a, b) => at(a) - at(b))[0];
          const taken = story.omniscient ? connection.asked : greeting;
          const stray = [
            ...frames(earlier).filter((line) => isPast(line, taken)),
            ...frames(connection).filter((line) => isPast(line, over)),
          ].find((line) => recordsIn(line) !== undefined);
          check(stray === undefined, () =>
            shown(connection, { expected: 'silence', seen: `${stray?.text}` }, stray?.at),
          );
        }
      }
    },
  },
];
