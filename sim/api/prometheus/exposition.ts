/** `GET /metrics`: what a Prometheus scrapes, in text format 0.0.4. */
import type { Metrics } from '../../metrics/metrics.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export const exposed = (metrics: Metrics, now: number): Response =>
  new Response(streamed(metrics.exposition(now)), { headers: { 'Content-Type': CONTENT_TYPE } });

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
