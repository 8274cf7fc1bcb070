/** What oned refuses, in its own words: an error code and a message. Mirrors `Request.cc` of OpenNebula 6.10. */
import { Expected } from '../kernel/expected.ts';

/** oned's error codes by name, with the number that travels in an XML-RPC answer. */
export const ERROR_NUMBERS = {
  AUTHENTICATION: 0x0100,
  AUTHORIZATION: 0x0200,
  NO_EXISTS: 0x0400,
  ACTION: 0x0800,
  XML_RPC_API: 0x1000,
  INTERNAL: 0x2000,
  ALLOCATE: 0x4000,
} as const;

export type ErrorCode = keyof typeof ERROR_NUMBERS;

/**
 * A refusal. Thrown with the bare text; {@link Cloud.run} puts `[method] ` in front, so what a client of `Cloud`
 * catches has oned's whole message.
 */
export class OneError extends Expected {
  readonly code: ErrorCode;
  /** The id that was asked for when it does not exist, else -1. */
  readonly objectId: number;

  constructor(code: ErrorCode, message: string, objectId = -1) {
    super(message);
    this.code = code;
    this.objectId = objectId;
  }
}

/** A server that cannot be reached. The message is what a client of the real thing would see of the failed connection. */
export class Unreachable extends Error {}
