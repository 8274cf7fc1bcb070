/** The flags of a command but serve, as a table: what each may be, how its text is read, and what holds without it. */
import { suggestion } from '../kernel/nearest.ts';
import { Problem } from '../problem.ts';

export interface Flag<T> {
  /** What it may be, in words; empty for one that takes no value. */
  readonly allowed: string;
  readonly otherwise: T;
  /** Its text is in no message. */
  readonly secret?: boolean;
  /** undefined for a text that is not allowed */
  read(text: string): T | undefined;
  /** Of a flag that may be given more than once: what two together are. @throws Problem */
  joined?(before: T, more: T): T;
}

/** What `--help` says of a flag. */
type Told = {
  /** Stands for the value; empty for a flag that takes none. */
  readonly value: string;
  /** With the unit, where there is one. */
  readonly meaning: string;
  /** The default in words; empty where there is none. */
  readonly without: string;
};

type Table = Readonly<Record<string, Flag<unknown>>>;

type Values<T extends Table> = { readonly [K in keyof T]: T[K] extends Flag<infer V> ? V : never };

interface CommandLine<T extends Table> {
  readonly flags: Values<T>;
  /** The names of those that were given. */
  readonly given: ReadonlySet<string>;
  /** What is no flag. */
  readonly words: readonly string[];
}

/** Flags are `--name value` or `--name=value`; of several that cannot be joined the last counts. @throws Problem */
export function readFlags<const T extends Table>(table: T, args: readonly string[]): CommandLine<T> {
  const values = new Map<string, unknown>(Object.entries(table).map(([name, { otherwise }]) => [name, otherwise]));
  const given = new Set<string>();
  const words: string[] = [];
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] ?? '';
    if (!arg.startsWith('-')) {
      words.push(arg);
      continue;
    }
    const [name = '', ...rest] = arg.split('=');
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (flag === undefined)
      throw new Problem(`unknown flag ${JSON.stringify(name)}${suggestion(name, Object.keys(table))}`);
    const bare = flag.allowed === '';
    if (bare && rest.length > 0) throw new Problem(`${name} takes no value`);
    const text = bare ? 'on' : rest.length > 0 ? rest.join('=') : args[++n];
    if (text === undefined || text === '') throw new Problem(`${name} needs a value`);
    const value = flag.read(text);
    const seen = flag.secret ? '' : `, not ${JSON.stringify(text)}`;
    if (value === undefined) throw new Problem(`${name}: expected ${flag.allowed}${seen}`);
    values.set(name, given.has(name) ? (flag.joined?.(values.get(name), value) ?? value) : value);
    given.add(name);
  }
  return { flags: Object.fromEntries(values) as Values<T>, given, words };
}

// ---- help -------------------------------------------------------------------------------------------------------------

/** @param without the default in words, where its value does not say it */
export const told = <F extends Flag<unknown>>(
  flag: F,
  value: string,
  meaning: string,
  without = typeof flag.otherwise === 'string' || typeof flag.otherwise === 'number' ? `${flag.otherwise}` : '',
): F & Told => ({ ...flag, value, meaning, without });

/** A line for each flag. */
export function flagsHelp(table: Readonly<Record<string, Told>>): string[] {
  const rows = Object.entries(table).map(([name, { value, meaning, without }]) => [
    `${name} ${value}`.trimEnd(),
    without === '' ? meaning : `${meaning} (${without})`,
  ]);
  const width = Math.max(...rows.map(([flag = '']) => flag.length));
  return rows.map(([flag = '', meaning]) => `  ${flag.padEnd(width)}  ${meaning}`);
}

// ---- kinds of values ----------------------------------------------------------------------------------------------

/** A flag that need not be given, and then is nothing. */
export const optional = <T>(flag: Omit<Flag<T>, 'otherwise'>): Flag<T | undefined> => ({
  ...flag,
  otherwise: undefined,
});

export const text = { allowed: 'a text', read: (given: string): string | undefined => given };

export const word = <const T extends string>(...words: readonly T[]) => ({
  allowed: words.join(', ').replace(/, ([^,]*)$/, ' or $1'),
  read: (given: string): T | undefined => words.find((each) => each === given),
});

export const count = (least: number, most: number) => ({
  allowed: `a whole number from ${least} to ${most}`,
  read: (given: string): number | undefined =>
    /^\d{1,10}$/.test(given) && Number(given) >= least && Number(given) <= most ? Number(given) : undefined,
});

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. */
export const duration = {
  allowed: 'a duration such as 500ms, 90s, 10m, 1h or 1d',
  read(given: string): number | undefined {
    const [, number, unit = ''] = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(given) ?? [];
    const ms = number === undefined ? 0 : Number(number) * (UNITS[unit] ?? 0);
    return ms > 0 ? ms : undefined;
  },
};

export const url = {
  allowed: 'a URL such as http://127.0.0.1:1337',
  read: (given: string): string | undefined =>
    URL.canParse(given) && /^https?:$/.test(new URL(given).protocol) ? given.replace(/\/+$/, '') : undefined,
};

export const session = {
  allowed: 'user:password',
  secret: true,
  read: (given: string): string | undefined => (/^[^:]+:/.test(given) ? given : undefined),
};

export const on: Flag<boolean> = { allowed: '', otherwise: false, read: () => true };
