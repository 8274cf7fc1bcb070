/** What only a person can put right: a flag, a file, a port. The message says what and where, one line a mistake. */
export class Problem extends Error {}
