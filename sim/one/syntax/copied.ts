/** A slice as a text of its own, for what is kept longer than the text it was cut from. */
export const copied = (slice: string): string =>
  slice.length < SLICED ? slice : [slice.slice(0, 1), slice.slice(1)].join('');

/** From this length on V8 makes a slice that points into the text that it was cut from, and keeps all of it. */
const SLICED = 13;
