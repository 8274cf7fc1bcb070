/** `GET /metrics`: what a Prometheus scrapes, in text format 0.0.4. */
import { Hono } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import type { Metrics } from '../../metrics/metrics.ts';

export interface Exposed {
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function prometheusApi({ clock, metrics }: Exposed): Hono {
  return new Hono()
    .onError((error) => {
      throw error;
    })
    .get(
      '/metrics',
      () =>
        new Response(streamed(metrics.exposition(clock.now)), {
          headers: { 'Content-Type': CONTENT_TYPE },
        }),
    )
    .all('*', (c) =>
      c.json(
        {
          error: {
            code: 'not_found',
            message: `There is no ${c.req.method} ${c.req.path}`,
          },
        },
        404,
      ),
    );
}

/** Sends chunks as the client takes them, so that a large exposition is never held whole. */
function streamed(chunks: Iterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}
