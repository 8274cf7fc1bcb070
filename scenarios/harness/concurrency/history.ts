/** The histories of a trace: what was asked of each runtime, from when until when, as far as a client can tell. */

import { before, isMutation, type Runtime, requestOf, type Story } from '../story.ts';
import type { ExchangeLine } from '../trace.ts';
import { laneOf } from './lanes.ts';
import type { Operation, Span, Thing } from './operation.ts';
import { type Known, phasesOf, runtimeMade } from './runtime-model.ts';

/** An operation, and the exchange that it was. */
export interface Asked<S> extends Operation<S> {
  readonly exchange: ExchangeLine;
  /** Whose it is, such as `client 1`. */
  readonly lane: string;
}

export interface History<S> {
  readonly subject: string;
  readonly thing: Thing<S>;
  readonly operations: readonly Asked<S>[];
}

/** When an exchange began and ended, in the journal's numbers where there is one. */
export function spanOf({ sent, at, entry, until, response }: ExchangeLine, counts: boolean): Span {
  const invoked = entry ?? sent;
  // What is answered without the world's knowledge leaves nothing in the journal.
  const returned = Math.max(invoked, until ?? at);
  return { invoked, returned: response === null || !counts ? Number.POSITIVE_INFINITY : returned };
}

/** Those of the runtimes that a run has made. */
export function runtimeHistories(story: Story): History<Known>[] {
  const disturbedFrom = disturbance(story);
  const asked = new Map([...story.runtimes.keys()].map((id): [number, ExchangeLine[]] => [id, []]));
  for (const exchange of story.exchanges) asked.get(idIn(exchange.request.path))?.push(exchange);
  return [...story.runtimes.values()].flatMap((runtime) => {
    const thing = runtimeMade(runtime.created.response.body);
    if (thing === undefined) return [];
    const operations = operationsOf(story, runtime, asked.get(runtime.id) ?? [], disturbedFrom);
    return [{ subject: `runtime ${runtime.id}`, thing, operations }];
  });
}

function operationsOf(
  story: Story,
  { created }: Runtime,
  exchanges: readonly ExchangeLine[],
  disturbedFrom: number,
): Asked<Known>[] {
  return exchanges.flatMap((exchange): Asked<Known>[] => {
    const { request, response, seq } = exchange;
    if (!before(created, exchange)) return [];
    const counts = response !== null && !story.isTouched(exchange);
    if (!counts && !isMutation(exchange)) return [];
    const { method, body: asked } = request;
    const disturbed = exchange.at >= disturbedFrom;
    const [status, answered] = counts ? [response.status, response.body] : [null, ''];
    const phases = phasesOf({ n: seq, method, status, asked, answered, disturbed }, story.deviations);
    const name = `${exchange.step ?? exchange.op} ${method} ${status ?? 'unanswered'}`;
    return phases.length === 0
      ? []
      : [
          {
            name,
            ...spanOf(exchange, counts),
            phases,
            looks: !isMutation(exchange),
            exchange,
            lane: whose(story, exchange),
          },
        ];
  });
}

function idIn(path: string): number {
  const [, id] = /^\/serverless-runtimes\/(\d+)$/.exec(path) ?? [];
  return Number(id ?? Number.NaN);
}

const isOfQuota = ({ request }: ExchangeLine): boolean =>
  request.body?.includes('<methodName>one.user.quota<') ?? false;

/** Since when anything but the engine's clients may have touched a runtime. */
function disturbance({ exchanges, faults, healings }: Story): number {
  const behind = exchanges.filter(
    (exchange) => isMutation(exchange) && (exchange.step === null || exchange.op === 'request') && !isOfQuota(exchange),
  );
  return Math.min(
    ...faults.map(({ at }) => at),
    ...healings.map(({ at }) => at),
    ...behind.map(({ sent }) => sent),
    Number.POSITIVE_INFINITY,
  );
}

export function whose(story: Story, exchange: ExchangeLine): string {
  const step = requestOf(story, exchange);
  if (step === undefined) return 'the harness';
  const lane = laneOf(step);
  return lane === undefined ? `client ${step.client ?? 0}` : `lane ${lane}`;
}
