/** A `fetch` that lets no answer pass which breaks its contract, and counts what it has seen. */
import { checkExchange, type Exchange, type Violation } from './conformance.ts';
import type { Contract } from './contract.ts';

type Fetch = (request: Request) => Promise<Response>;

/** How often each answer was seen. */
export interface Coverage {
  /** By operation and status, such as `readRuntime 404`. */
  readonly answers: Map<string, number>;
  /** By the id of the deviation that made an answer acceptable. */
  readonly deviations: Map<string, number>;
}

export class ContractViolation extends Error {
  readonly violations: readonly Violation[];

  constructor(exchange: Exchange, violations: readonly Violation[]) {
    const lines = violations.map(
      ({ law, operation, pointer, expected, seen, where }) =>
        `  ${operation} ${law}${pointer === '' ? '' : ` at ${pointer}`}: ${expected}; seen: ${seen} (${where})`,
    );
    super(
      [
        `${exchange.method} ${exchange.path} was answered with ${exchange.status}, against the contract:`,
        ...lines,
        `  request: ${exchange.requestBody ?? ''}`,
        `  answer: ${exchange.body}`,
      ].join('\n'),
    );
    this.name = 'ContractViolation';
    this.violations = violations;
  }
}

/**
 * Wraps a `fetch` so that it throws {@link ContractViolation} instead of giving an answer that breaks the contract.
 * An answer is read to its end before it is given.
 */
export function checkedFetch(
  fetch: Fetch,
  contracts: readonly Contract[],
  deviations: ReadonlySet<string>,
  coverage: Coverage = { answers: new Map(), deviations: new Map() },
): Fetch {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const requestBody = await request.clone().text();
    const response = await fetch(request);
    const exchange: Exchange = {
      method: request.method,
      path: `${pathname}${search}`,
      requestBody,
      status: response.status,
      headers: response.headers,
      body: await response.clone().text(),
    };
    const { operation, violations, deviation } = checkExchange(contracts, exchange, deviations);
    if (operation !== undefined) count(coverage.answers, `${operation.id} ${response.status}`);
    if (deviation !== undefined) count(coverage.deviations, deviation);
    if (violations.length > 0) throw new ContractViolation(exchange, violations);
    return response;
  };
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
