/**
 * An error that whoever asks has to expect, such as a refusal: it says all in its message and its fields. Nobody asks where
 * it was thrown, and to find that out would cost more than what most operations do.
 */
export class Expected extends Error {
  constructor(message: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
