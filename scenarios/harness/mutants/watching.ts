/** Seeded bugs in what is looked at besides the engine: lists, measurements and streams. */
import type { Simulator } from '../../../sim/index.ts';
import type { Wrap } from '../transport.ts';
import type { Mutant } from './mutant.ts';
import { again, mutated, on, patch } from './mutated.ts';

type Door = (request: Request) => Promise<Response>;

/** A bug in what is answered under a path. */
const under =
  (path: RegExp, bug: (answer: Response, request: Request, door: Door) => Promise<Response>): Wrap =>
  (simulator) => {
    const door: Door = (request) => simulator.fetch(request);
    return async (request) => {
      const answer = await door(request);
      return path.test(new URL(request.url).pathname) && answer.status === 200 ? bug(answer, request, door) : answer;
    };
  };

const told = (body: string, { status, headers }: Response, more: Readonly<Record<string, string>> = {}): Response =>
  new Response(body, { status, headers: { ...Object.fromEntries(headers), ...more } });

/** A bug in the text of the exposition. */
const exposing = (change: (text: string) => string): Wrap =>
  under(/^\/metrics$/, async (answer) => told(change(await answer.text()), answer));

const FUNCTIONS = /\/functions$/;

const pageOf = ({ url }: Request): { readonly offset: number; readonly limit: number } => {
  const { searchParams } = new URL(url);
  const asked = (name: string, otherwise: number): number => Number(searchParams.get(name) ?? otherwise) || 0;
  return { offset: asked('offset', 0), limit: asked('limit', 10) };
};

type Connect = Simulator['connect'];
type Sink = Parameters<Connect>[1];
type Connection = Exclude<ReturnType<Connect>, number>;

/** A bug in streams: what a connection sends, and what it is told. */
function streaming(
  bug: (
    sink: Sink,
    path: string,
  ) => { readonly sink?: Partial<Sink>; hears?(connection: Connection): Partial<Connection> },
): Wrap {
  return (simulator) => {
    patch(simulator, 'connect', (connect) => (path, sink) => {
      const { sink: other = {}, hears = () => ({}) } = bug(sink, path);
      const connection = connect(path, { ...sink, ...other });
      return typeof connection === 'number' ? connection : { ...connection, ...hears(connection) };
    });
    return (request) => simulator.fetch(request);
  };
}

type Metrics = Simulator['world']['metrics'];
type Range = Parameters<Metrics['range']>[2];
type Rows = ReturnType<Metrics['range']>;

/** A bug in the history that the Gatekeeper shows. */
const remembering = (bug: (ask: (range: Range) => Rows, range: Range) => Rows): Wrap =>
  mutated(({ metrics }) =>
    patch(
      metrics,
      'range',
      (original) => (name, matchers, range, now) => bug((each) => original(name, matchers, each, now), range),
    ),
  );

/** Another past of a guest, once something has come to an end. */
const recalled = (state: string, change: (span: SpanOf) => SpanOf): Wrap =>
  mutated(({ cloud }) =>
    patch(cloud.driver, 'finish', (finish) => (vm, ...more) => {
      const before = vm.state;
      finish(vm, ...more);
      const last = vm.spans.at(-1);
      if (before === state && last !== undefined && last.to === null)
        vm.spans = [...vm.spans.slice(0, -1), change(last)];
    }),
  );

type Vm = Parameters<Simulator['world']['cloud']['driver']['finish']>[0];
type SpanOf = Vm['spans'][number];

const DEMO = { username: 'demo', password: 'demo' };

/** Of the answer to a login; nothing of a refusal. */
const tokenIn = async (answer: Response): Promise<string> =>
  /"access_token":"([^"]+)"/.exec(await answer.text())?.[1] ?? '';

/** Logs another user in, and out. */
async function outOf(url: string, door: Door): Promise<Response> {
  const login = await door(new Request(url, { method: 'POST', body: JSON.stringify(DEMO) }));
  const headers = { Authorization: `bearer ${await tokenIn(login)}` };
  return door(new Request(url, { method: 'DELETE', headers }));
}

export const WATCHING_MUTANTS: readonly Mutant[] = [
  {
    name: 'a logout ends the sessions of another',
    law: 'A8',
    wrap: (simulator) => {
      const door: Door = (request) => simulator.fetch(request);
      const live = new Set<string>();
      return async (request) => {
        const isOfSessions = new URL(request.url).pathname.endsWith('/sessions');
        const [, token = ''] = request.headers.get('Authorization')?.split(' ') ?? [];
        if (isOfSessions && request.method === 'DELETE' && token !== '' && live.delete(token))
          return outOf(request.url, door);
        const answer = await door(request);
        if (isOfSessions && request.method === 'POST') live.add(await tokenIn(answer.clone()));
        return answer;
      };
    },
  },
  {
    name: 'a page begins with the end of the one before',
    law: 'P1',
    wrap: under(FUNCTIONS, async (answer, request, door) => {
      const { offset, limit } = pageOf(request);
      const page: unknown[] = JSON.parse(await answer.text());
      if (offset < 1 || page.length === 0) return told(JSON.stringify(page), answer);
      const url = request.url.replace(/offset=\d+/, `offset=${offset - 1}`);
      const before: unknown[] = JSON.parse(await (await door(new Request(url, request))).text());
      return told(JSON.stringify([...before.slice(-1), ...page].slice(0, Math.min(limit, page.length))), answer);
    }),
  },
  {
    name: 'Record-Count counts the page',
    law: 'P2',
    wrap: under(FUNCTIONS, async (answer) => {
      const body = await answer.text();
      return told(body, answer, { 'record-count': `${JSON.parse(body).length}` });
    }),
  },
  {
    name: 'the last page is off by one',
    law: 'P3',
    wrap: under(FUNCTIONS, async (answer) => {
      const link = answer.headers.get('Link') ?? '';
      const later = link.replace(
        /offset=(\d+)(?=&limit=\d+>; rel="last")/,
        (_, offset) => `offset=${Number(offset) + 1}`,
      );
      return told(await answer.text(), answer, { link: later });
    }),
  },
  {
    name: 'nothing is not found past the end',
    law: 'P4',
    wrap: under(FUNCTIONS, async (answer, request) => {
      const body = await answer.text();
      if (body !== '[]' || pageOf(request).offset === 0) return told(body, answer);
      const error = JSON.stringify({ error: { code: 404, message: 'No functions were found' } });
      return new Response(error, { status: 404, headers: answer.headers });
    }),
  },
  {
    name: 'the grid is aligned to the epoch instead of since',
    law: 'T1',
    wrap: remembering((ask, range) => ask({ ...range, since: range.step * Math.ceil(range.since / range.step) })),
  },
  {
    name: 'the last point of the grid is missing',
    law: 'T2',
    wrap: remembering((ask, range) => {
      const last = range.since + range.step * Math.floor((range.until - range.since) / range.step);
      return ask({ ...range, until: last - 1 });
    }),
  },
  {
    name: 'long steps are smoothed',
    law: 'T3',
    wrap: remembering((ask, range) =>
      ask(range).map((row) => ({
        ...row,
        values: row.values.map(([at, value], n) => {
          const before = Number(row.values[n - 1]?.[1] ?? value);
          return [at, range.step < 5_000 ? value : `${(before + Number(value)) / 2}`] as const;
        }),
      })),
    ),
  },
  {
    name: 'each range begins at zero',
    law: 'T4',
    wrap: remembering((ask, range) =>
      ask(range).map((row) => ({
        ...row,
        values: row.values.map(([at, value]) => [at, `${Number(value) - Number(row.values[0]?.[1])}`] as const),
      })),
    ),
  },
  {
    name: 'a counter starts again at a resize',
    law: 'T5',
    wrap: recalled('HOTPLUG_RESIZE', (span) => ({ ...span, boot: span.boot + 1 })),
  },
  {
    name: 'a stream rounds unlike the exposition',
    law: 'T6',
    wrap: streaming((sink) => ({
      sink: {
        send: (text) => sink.send(text.replace(/"value":(-?[\d.]+)/g, (_, value) => `"value":${Math.round(value)}`)),
      },
    })),
  },
  {
    name: 'a sample from before the VM starts',
    law: 'T7',
    wrap: recalled('BOOT', (span) => ({ ...span, from: span.from - 400_000 })),
  },
  {
    name: 'a TYPE line twice',
    law: 'T8',
    wrap: exposing((text) => text.replace(/# TYPE vm_mem_perc gauge\n/, '$&$&')),
  },
  {
    name: 'quotation marks are not escaped',
    law: 'T8',
    wrap: exposing((text) => text.replaceAll('instance="vtc-vnf"', 'instance="the "vtc-vnf""')),
  },
  {
    name: 'a host counts a VM twice',
    law: 'T9',
    wrap: exposing((text) =>
      text.replace(/(opennebula_host_vms\{one_host_id="1"\} )([1-9]\d*)/, (_, head, n) => `${head}${Number(n) + 1}`),
    ),
  },
  {
    name: 'a stream begins without a word',
    law: 'W1',
    wrap: streaming((sink) => ({
      sink: {
        send(text) {
          if (!text.includes('Socket Opened')) sink.send(text);
        },
      },
    })),
  },
  {
    name: 'a message ends the stream',
    law: 'W2',
    wrap: streaming((sink) => ({
      hears: (connection) => ({
        receive() {
          connection.receive();
          sink.close(1003);
        },
      }),
    })),
  },
  {
    name: 'an id of a stream is good for ever',
    law: 'W3',
    wrap: streaming((sink) => {
      let isOver = false;
      return {
        sink: {
          send(text) {
            if (!isOver) sink.send(text);
          },
        },
        hears: () => ({
          closed() {
            isOver = true;
          },
        }),
      };
    }),
  },
  {
    name: 'a frame after the stream is closed',
    law: 'W4',
    wrap: streaming((sink) => {
      let last = '';
      return {
        sink: {
          send(text) {
            last = text;
            sink.send(text);
          },
        },
        hears: (connection) => ({
          closed() {
            connection.closed();
            if (last.includes('"time"')) sink.send(last);
          },
        }),
      };
    }),
  },
  {
    name: 'another’s samples on a stream',
    law: 'W4',
    wrap: streaming((sink) => {
      let frames = 0;
      return {
        sink: {
          send(text) {
            const isForeign = text.includes('"time"') && ++frames % 3 === 0;
            sink.send(isForeign ? text.replaceAll(/id=\\"[0-9a-f]{8}/g, 'id=\\"00000000') : text);
          },
        },
      };
    }),
  },
  {
    name: 'who was first goes on listening',
    law: 'W5',
    wrap: (simulator) => {
      const first = new Map<string, Sink>();
      return streaming((sink, path) => {
        const earlier = first.get(path);
        if (earlier === undefined) first.set(path, sink);
        return {
          sink: {
            send(text) {
              sink.send(text);
              if (text.includes('"time"')) earlier?.send(text);
            },
          },
          hears: (connection) => ({
            closed() {
              first.delete(path);
              connection.closed();
            },
          }),
        };
      })(simulator);
    },
  },
  {
    name: 'iteration order decides scheduling',
    law: 'M6',
    twin: true,
    wrap: on('PUT', (simulator) => {
      let [instant, turn] = [Number.NaN, 0];
      return async (plea) => {
        const look = await plea.door(
          again({ ...plea, method: 'GET' }, plea.request.headers.get('Authorization') ?? ''),
        );
        const [, vm] = /"VM_ID":(\d+)/.exec(await look.text()) ?? [];
        const { cloud, clock } = simulator.world;
        if (clock.now !== instant) [instant, turn] = [clock.now, 0];
        const own = vm === undefined ? undefined : cloud.vms.find(Number(vm));
        // Whoever comes later in an instant waits for another time than who was first.
        if (own !== undefined) own.steps += turn++;
        return plea.door(plea.request);
      };
    }),
  },
  {
    name: 'stuck in UPDATING when a fault lands in the tick of its completion',
    law: 'L4',
    wrap: mutated(({ cloud, clock, journal }) => {
      /** Since when something has last gone wrong. */
      let struckAt = Number.NEGATIVE_INFINITY;
      patch(journal, 'append', (append) => (kind, subject, detail) => {
        const isFault =
          kind === 'fault' || kind === 'host.state' || (kind === 'request' && subject.startsWith('/_onesim/faults'));
        if (isFault) struckAt = clock.now;
        return append(kind, subject, detail);
      });
      patch(cloud.driver, 'finish', (finish) => (vm, ...more) => {
        const isStruck = clock.now - struckAt < TICK_MS;
        if (!isStruck || vm.state !== 'HOTPLUG_RESIZE') finish(vm, ...more);
      });
    }),
  },
];

/** What counts as one tick: a driver looks no more often. */
const TICK_MS = 500;
