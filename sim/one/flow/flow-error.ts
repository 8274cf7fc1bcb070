/** What OneFlow refuses, in its own words, with the HTTP status it answers with. */
import { type ErrorCode, OneError, Unreachable } from '../error.ts';

export class FlowError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Where OneFlow runs into an exception it has no answer for. The message is Ruby's. */
export class FlowCrash extends FlowError {
  constructor(message: string) {
    super(500, message);
  }

  /** The body of the answer. */
  get body(): string {
    return crashBody(this.message);
  }
}

export const crashBody = (reason: string): string => JSON.stringify({ message: 'Internal server error', reason });

/** The status for what oned refuses. The first two look swapped, and are. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  AUTHORIZATION: 401,
  AUTHENTICATION: 403,
  NO_EXISTS: 404,
};

/** A refusal of oned or a failed connection to it, as OneFlow passes it on. Anything else is thrown on. */
export function passedOn(error: unknown): FlowError {
  if (error instanceof OneError) return new FlowError(STATUS[error.code] ?? 500, error.message);
  if (error instanceof Unreachable) return new FlowError(500, error.message);
  if (error instanceof FlowError) return error;
  throw error;
}
