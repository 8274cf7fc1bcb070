/** What the process tells whoever has started it, as one table. */

export const EXIT_CODES = {
  0: 'all is fine',
  1: 'a law or the contract was broken, or a server is unlike the stand-in',
  2: 'a mistake in the command, a file or the configuration, or a server that does not answer',
  3: 'something that was made on a server is, or may be, left there',
  4: 'nothing, or less than was asked for, was checked',
  70: 'a mistake of onesim itself',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

/** Of several runs, or several things that are true of one: the first of these. */
const GRAVEST: readonly ExitCode[] = [2, 3, 1, 4];

export const gravest = (codes: readonly ExitCode[]): ExitCode => GRAVEST.find((code) => codes.includes(code)) ?? 0;

/** A line for each that a command may end with. */
export const exitCodesHelp = (codes: readonly ExitCode[]): string[] =>
  codes.map((code) => `  ${`${code}`.padEnd(2)}  ${EXIT_CODES[code]}`);
