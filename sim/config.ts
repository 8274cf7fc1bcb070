/** What `onesim serve` can be told: one table of settings, each of them a flag, an environment variable and a key of `onesim.config.yaml`. */
import { ENGINE_DEVIATIONS } from './api/engine/deviations.ts';
import { GATEKEEPER_DEVIATIONS } from './api/gatekeeper/deviations.ts';
import { nearest, suggestion } from './kernel/nearest.ts';
import { TIMINGS } from './one/timing.ts';
import { Problem } from './problem.ts';
import type { Source } from './source.ts';

/** A kind of value: how its text is read, and what the text may be. */
interface Kind<T> {
  readonly allowed: string;
  /** undefined for a text that is not allowed */
  read(text: string): T | undefined;
  /** Words that somebody may have misspelt. */
  readonly words?: readonly string[];
}

interface Setting<T> extends Kind<T> {
  /** Stands for the value in the help. */
  readonly value: string;
  readonly otherwise: T;
  /** The default in words, where its value does not say enough. */
  readonly otherwiseText?: string;
  readonly meaning: string;
  /** Of a setting that may be given more than once: what two together are. Its key is a plural; its flag names one. */
  readonly joined?: (before: T, more: T) => T;
}

// ---- kinds of values ----------------------------------------------------------------------------------------------

const text: Kind<string> = { allowed: 'a text', read: (given) => (given === '' ? undefined : given) };

const whole = (least: number, most: number): Kind<number> => ({
  allowed: `a whole number from ${least} to ${most}`,
  read: (given) => within(/^(\d{1,16}|0x[\da-f]{1,14})$/i.test(given) ? Number(given) : Number.NaN, least, most),
});

const within = (n: number, least: number, most: number): number | undefined =>
  n >= least && n <= most ? n : undefined;

const port = whole(0, 65_535);

const portOrOff: Kind<number | 'off'> = {
  allowed: `${port.allowed}, or off`,
  read: (given) => (given === 'off' ? 'off' : port.read(given)),
  words: ['off'],
};

const oneOf = <const T extends string>(...words: readonly T[]): Kind<T> => ({
  allowed: words.join(', ').replace(/, ([^,]*)$/, ' or $1'),
  read: (given) => words.find((word) => word === given),
  words,
});

/** A name that is built in, or a file, which has a dot or a slash in it. */
type NameOrFile<T extends string> = { readonly name: T } | { readonly file: string };

const nameOrFile = <const T extends string>(...words: readonly T[]): Kind<NameOrFile<T>> => ({
  allowed: `${words.join(', ')}, or a file`,
  read: (given) => {
    const name = words.find((word) => word === given);
    if (name !== undefined) return { name };
    return /[./\\]/.test(given) ? { file: given } : undefined;
  },
  words,
});

const FASTEST = 1_000_000;

/** Simulated milliseconds that pass in one of the host's; 0 while time stands still. */
export const pace: Kind<number> = {
  allowed: `real, virtual, or a factor such as 60x, up to ${FASTEST}x`,
  read: (given) => {
    if (given === 'real') return 1;
    if (given === 'virtual') return 0;
    return within(/^\d{1,7}(\.\d{1,6})?x$/.test(given) ? Number.parseFloat(given) : Number.NaN, 0.001, FASTEST);
  },
  words: ['real', 'virtual'],
};

const LAST_INSTANT_MS = Date.UTC(9999, 0);

/** Milliseconds since the Unix epoch. */
const instant: Kind<number> = {
  allowed: 'a time from 1970 to 9998 such as 2026-01-01T00:00:00Z',
  read: (given) => {
    const form = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;
    return within(form.test(given) ? Date.parse(given) : Number.NaN, 0, LAST_INSTANT_MS);
  },
};

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const size = (least: number, most: number): Kind<number> => ({
  allowed: `a number of bytes from ${least} to ${most}, such as 65536, 512KiB or 4MiB`,
  read: (given) => {
    const [, number, unit = ''] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(given) ?? [];
    return number === undefined ? undefined : within(Number(number) * (UNITS[unit] ?? 1), least, most);
  },
});

const hostName: Kind<readonly string[]> = {
  allowed: 'the name of a host',
  read: (given) => (/^[a-z\d]([a-z\d.-]{0,251}[a-z\d])?$/i.test(given) ? [given.toLowerCase()] : undefined),
};

/** Every departure from a contract that can be switched. */
export const DEVIATIONS = [...ENGINE_DEVIATIONS, ...GATEKEEPER_DEVIATIONS];
type DeviationId = (typeof DEVIATIONS)[number];

/** Departures that are reproduced, or are not, whatever the profile says. */
type Switches = { readonly [id in DeviationId]?: boolean };

const switches: Kind<Switches> = {
  allowed: 'ID=on or ID=off, with the id of a deviation',
  read: (given) => {
    const id = DEVIATIONS.find((each) => given === `${each}=on` || given === `${each}=off`);
    return id === undefined ? undefined : { [id]: given.endsWith('=on') };
  },
  words: DEVIATIONS.flatMap((id) => [`${id}=on`, `${id}=off`]),
};

/** The worlds that come with onesim. */
export const WORLD_NAMES = ['default', 'empty', 'recorded'] as const;

// ---- the table ----------------------------------------------------------------------------------------------------

const setting = <T>(
  kind: Kind<T>,
  value: string,
  otherwise: T,
  meaning: string,
  otherwiseText?: string,
): Setting<T> => ({
  ...kind,
  value,
  otherwise,
  meaning,
  ...(otherwiseText === undefined ? {} : { otherwiseText }),
});

/** By key of the configuration file; flag and variable follow from it: `onedPort`, `--oned-port`, `ONESIM_ONED_PORT`. */
const SETTINGS = {
  host: setting(text, 'ADDRESS', '127.0.0.1', 'the address to listen on'),
  port: setting(port, 'N', 1337, 'every API by path; 0 picks a free port'),
  onedPort: setting(portOrOff, 'N|off', 2633, 'OpenNebula XML-RPC on its usual port as well'),
  oneflowPort: setting(portOrOff, 'N|off', 2474, 'OneFlow on its usual port as well'),
  managerPort: setting<number | 'off'>(
    portOrOff,
    'N|off',
    'off',
    "the Gatekeeper's monitoring manager on a port of its own as well; SONATA's is 8000",
  ),
  world: setting(
    nameOrFile(...WORLD_NAMES),
    'FILE',
    { name: 'default' },
    'hosts, users, images, networks, templates, VNFs: a world file, or default, empty or recorded',
    'default',
  ),
  state: setting<string | null>(
    text,
    'FILE',
    null,
    'goes on with the world in this file, if there is one, and saves it there at the end; its settings come with it',
    'none',
  ),
  sandboxes: setting(whole(0, 10_000), 'N', 64, 'how many worlds of their own clients may open at a time'),
  seed: setting(whole(0, Number.MAX_SAFE_INTEGER), 'N', 1, 'what all chance follows from'),
  clock: setting(pace, 'PACE', 1, 'real, virtual (stands still until advanced), or a factor such as 60x', 'real'),
  epoch: setting<number | 'now'>(
    instant,
    'TIME',
    'now',
    'where simulated time starts',
    'the present; with a virtual clock 2026-01-01',
  ),
  timing: setting(
    nameOrFile(...(Object.keys(TIMINGS) as (keyof typeof TIMINGS)[])),
    'NAME|FILE',
    { name: 'realistic' },
    `how long the cloud takes: ${Object.keys(TIMINGS).join(', ')}, or a file`,
    'realistic',
  ),
  profile: setting(
    oneOf('upstream', 'contract'),
    'NAME',
    'upstream',
    'upstream departs from the contracts as the real servers do, contract does not',
  ),
  deviations: {
    ...setting<Switches>(switches, 'ID=on|off', {}, 'one departure, whatever the profile; may be repeated', 'none'),
    joined: (before: Switches, more: Switches) => ({ ...before, ...more }),
  },
  log: setting<'pretty' | 'json' | 'auto'>(
    oneOf('pretty', 'json'),
    'FORM',
    'auto',
    'pretty or json',
    'pretty on a terminal, else json',
  ),
  maxBody: setting(size(1024, 2 ** 30), 'BYTES', 4 * 2 ** 20, 'largest body of a request', '4MiB'),
  journalSize: setting(whole(1, 100_000_000), 'N', 100_000, 'entries that the journal keeps'),
  control: setting(oneOf('on', 'off'), 'on|off', 'on', "onesim's own API under /_onesim; --no-control leaves it out"),
  controlHosts: {
    ...setting<readonly string[]>(
      hostName,
      'NAME',
      [],
      'a name by which its API may be called, besides localhost and addresses; may be repeated',
      'none',
    ),
    joined: (before: readonly string[], more: readonly string[]) => [...before, ...more],
  },
  faultHeader: setting(oneOf('on', 'off'), 'on|off', 'on', 'whether an answer names the fault that has touched it'),
  gatekeeperRateLimits: setting(
    oneOf('off', 'on'),
    'off|on',
    'off',
    'whether the Gatekeeper refuses those who ask too often',
  ),
  engineTimeout: setting(whole(1, 3600), 'N', 30, 'how often the engine looks at what it waits for'),
  engineDisk: setting(whole(1, 2 ** 31 - 1), 'MIB', 1024, 'disk of a function that names no size'),
  engineCpu: setting(whole(1, 4096), 'N', 2, 'CPUs of a function, where neither it nor its VM template says'),
  engineCpuMult: setting(whole(1, 100), 'N', 2, 'times its CPUs is the most that a function may be resized to'),
  engineMemory: setting(whole(1, 2 ** 31 - 1), 'MIB', 1024, 'memory, likewise'),
  engineMemoryMult: setting(whole(1, 100), 'N', 2, 'times its memory, likewise'),
  engineResizeMode: setting(oneOf('BALLOONING', 'HOTPLUG'), 'MODE', 'BALLOONING', 'how memory is resized'),
} as const;

type Settings = typeof SETTINGS;
type Key = keyof Settings;

/** What serve is told. */
export type Config = { readonly [K in Key]: Settings[K] extends Setting<infer T> ? T : never };

const KEYS = Object.keys(SETTINGS) as Key[];

const isRepeated = (key: string): boolean => Object.hasOwn(SETTINGS, key) && 'joined' in SETTINGS[key as Key];
const single = (key: string): string => (isRepeated(key) ? key.replace(/s$/, '') : key);
const flagOf = (key: string): string => `--${single(key).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const variableOf = (key: string): string =>
  `ONESIM_${single(key)
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;

/** Names the configuration file itself, so it is a flag and a variable but no key. */
const FILE_KEY = 'config';
export const CONFIG_FILE = 'onesim.config.yaml';

const keyOfFlag = new Map([...KEYS, FILE_KEY].map((key) => [flagOf(key), key]));
const keyOfVariable = new Map([...KEYS, FILE_KEY].map((key) => [variableOf(key), key]));

const VARIABLE_PREFIX = 'ONESIM_';

// ---- reading ------------------------------------------------------------------------------------------------------

/** A text that was given for a setting, and where. */
interface Given {
  readonly text: string;
  readonly origin: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface CommandLine {
  /** The configuration file that is named, if any. */
  readonly configFile: Given | undefined;
  readonly flags: AllGiven;
  readonly variables: AllGiven;
}

/** By key, in the order in which they were given. */
type AllGiven = ReadonlyMap<string, readonly Given[]>;

/** @throws Problem */
export function readCommandLine(args: readonly string[], env: Environment): CommandLine {
  const flags = givenFlags(args);
  const variables = givenVariables(env);
  return { configFile: (flags.get(FILE_KEY) ?? variables.get(FILE_KEY))?.at(-1), flags, variables };
}

/** In order: defaults, file, environment, flags. @throws Problem */
export function parseConfig({ flags, variables }: CommandLine, file?: Source): Config {
  const sources = [...(file === undefined ? [] : [givenKeys(file)]), variables, flags];
  const values = KEYS.map((key) => {
    const { otherwise, joined, ...kind } = SETTINGS[key] as Setting<unknown>;
    const given = sources.flatMap((source) => source.get(key) ?? []);
    const counting = joined === undefined ? given.slice(-1) : given.flatMap(parts);
    return [key, counting.map((each) => readValue(kind, each)).reduce(joined ?? last, otherwise)];
  });
  return Object.fromEntries(values) as Config;
}

const last = (_: unknown, value: unknown): unknown => value;

/** A setting that may be repeated may also be given as a list with commas. */
const parts = ({ text: list, origin }: Given): Given[] =>
  list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({ text: part, origin }));

/** What holds when nothing is said. */
export const CONFIG_DEFAULTS = parseConfig(readCommandLine([], {}));

function readValue(kind: Kind<unknown>, { text: given, origin }: Given): unknown {
  const value = kind.read(given);
  if (value !== undefined) return value;
  const meant = suggestion(given, kind.words ?? []);
  throw new Problem(`${origin}: expected ${kind.allowed}, not ${JSON.stringify(given)}${meant}`);
}

function givenFlags(args: readonly string[]): AllGiven {
  const given = new Map<string, Given[]>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    const [, flag = arg, inline] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    const negated = inline === undefined ? negatedBy(flag) : undefined;
    if (negated !== undefined) {
      given.set(negated, [{ text: 'off', origin: flag }]);
      continue;
    }
    const key = keyOfFlag.get(flag);
    if (key === undefined) {
      const what = arg.startsWith('-') ? 'unknown flag' : 'unexpected argument';
      throw new Problem(`${what} ${JSON.stringify(flag)}${suggestion(flag, keyOfFlag.keys())}`);
    }
    const value = inline ?? args[++i];
    if (value === undefined) throw new Problem(`${flag} needs a value`);
    given.set(key, [...(given.get(key) ?? []), { text: value, origin: flag }]);
  }
  return given;
}

/** The setting that is switched off by `--no-` and its name. */
function negatedBy(flag: string): Key | undefined {
  const key = flag.startsWith('--no-') ? keyOfFlag.get(`--${flag.slice('--no-'.length)}`) : undefined;
  const { words = [] } = key === undefined || key === FILE_KEY ? {} : (SETTINGS[key as Key] as Setting<unknown>);
  return words.includes('off') ? (key as Key) : undefined;
}

function givenVariables(env: Environment): AllGiven {
  const given = new Map<string, Given[]>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(VARIABLE_PREFIX) || value === undefined) continue;
    const key = keyOfVariable.get(name);
    if (key === undefined) {
      throw new Problem(`unknown environment variable ${name}${suggestion(name, keyOfVariable.keys())}`);
    }
    given.set(key, [{ text: value, origin: name }]);
  }
  return given;
}

function givenKeys(source: Source): AllGiven {
  const { value } = source;
  if (value === null || value === undefined) return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new Problem(`${source.place([])}: a configuration is keys with values`);
  }
  const entries = Object.entries(value).map(([key, inner]): [string, Given[]] => {
    if (!Object.hasOwn(SETTINGS, key)) {
      const meant = keyOfFlag.get(nearest(flagOf(key), keyOfFlag.keys()) ?? '') ?? nearest(key, KEYS);
      const hint = meant === undefined || meant === FILE_KEY ? '' : `, did you mean "${meant}"?`;
      throw new Problem(`${source.placeOfKey([key])}: unknown key ${JSON.stringify(key)}${hint}`);
    }
    if (isRepeated(key)) return [key, givenMany(source, key, inner)];
    if (typeof inner !== 'string' && typeof inner !== 'number') {
      throw new Problem(`${source.place([key])}: ${key} takes a number or a text`);
    }
    return [key, [{ text: String(inner), origin: `${source.place([key])}: ${key}` }]];
  });
  return new Map(entries);
}

/** In the file they are a list, or keys with `on` or `off`. */
function givenMany(source: Source, key: string, inner: unknown): Given[] {
  if (Array.isArray(inner) && inner.every((each) => typeof each === 'string')) {
    return inner.map((text, i) => ({ text, origin: `${source.place([key, i])}: ${key}` }));
  }
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) {
    throw new Problem(`${source.place([key])}: ${key} takes a list, or keys with on or off`);
  }
  return Object.entries(inner).map(([id, value]) => ({
    text: `${id}=${ON_OFF.get(value) ?? value}`,
    origin: `${source.placeOfKey([key, id])}: ${key}`,
  }));
}

/** What YAML of old takes `on` and `off` for means the same. */
const ON_OFF: ReadonlyMap<unknown, string> = new Map([
  [true, 'on'],
  [false, 'off'],
]);

// ---- help ---------------------------------------------------------------------------------------------------------

/** Every flag of serve. */
export const flagNames = (): string[] => [...keyOfFlag.keys()];

/** One line a flag, with its default. */
export function flagsHelp(): string {
  const rows = KEYS.map((key) => {
    const { value, meaning, otherwise, otherwiseText } = SETTINGS[key] as Setting<unknown>;
    return [`${flagOf(key)} ${value}`, `${meaning} (${otherwiseText ?? otherwise})`] as const;
  });
  rows.push([`${flagOf(FILE_KEY)} FILE`, `settings by key: port: 1337 (${CONFIG_FILE} if there is one)`]);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    ...rows.map(([flag, meaning]) => `  ${flag.padEnd(width)}  ${meaning}`),
    '',
    'Deviations, explained in contracts/deviations:',
    ...linesOf(DEVIATIONS, 118).map((line) => `  ${line}`),
  ].join('\n');
}

/** Words with commas between them, in lines of so many characters at most. */
function linesOf(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1)}, ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
