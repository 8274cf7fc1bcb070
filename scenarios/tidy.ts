/**
 * The project's own rules, which no linter has: who may know the host, who may import whom, what files are called and
 * how they open. Each is a table here. The linter's import rules are made from the same table of directions.
 */
import { posix } from 'node:path';
import { codeOf, lineAt } from './source.ts';

export interface Finding {
  /** `file:line`. */
  readonly where: string;
  readonly what: string;
  readonly instead: string;
}

/** Words that stand for what the host knows and the simulation must not. */
interface Ban {
  readonly word: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

const CLOCK = 'ask the Clock';
const SLEEP = 'schedule an event or sleep on the Clock';

const BANS: readonly Ban[] = [
  { word: 'Date.now', pattern: /\bDate\s*\.\s*now\b/g, instead: CLOCK },
  { word: 'new Date()', pattern: /\bnew\s+Date\b(?!\s*\(\s*[^)\s])/g, instead: `${CLOCK}, and give Date its time` },
  { word: 'performance', pattern: /\bperformance\s*\.\s*\w+/g, instead: CLOCK },
  { word: 'Math.random', pattern: /\bMath\s*\.\s*random\b/g, instead: 'draw from a stream of Random' },
  { word: 'setTimeout', pattern: /\bsetTimeout\b/g, instead: SLEEP },
  { word: 'setInterval', pattern: /\bsetInterval\b/g, instead: SLEEP },
  { word: 'setImmediate', pattern: /\bsetImmediate\b/g, instead: 'let the Clock wait for requests' },
  {
    word: 'process',
    pattern: /(?<![.\w])process\s*(?:\?\.|\.|\[)\s*\w*/g,
    instead: 'take what you need as a parameter: main reads, prints and exits',
  },
];

interface Home {
  /** A file, or a folder with a slash at its end. */
  readonly home: string;
  readonly may: readonly string[];
  readonly because: string;
}

/** The only places that may use a banned word. */
const HOMES: readonly Home[] = [
  { home: 'sim/kernel/pace.ts', may: ['Date.now', 'performance', 'setTimeout'], because: "it is the host's time" },
  {
    home: 'sim/kernel/clock.ts',
    may: ['setImmediate'],
    because: 'a turn of the host lets requests run; it is no wait',
  },
  { home: 'sim/kernel/pace.test.ts', may: ['setImmediate'], because: 'it plays the host' },
  { home: 'sim/vitest.ts', may: ['process'], because: 'it runs in the process of the tests' },
  { home: 'sim/vitest.test.ts', may: ['process'], because: 'it starts a process' },
  { home: 'sim/main.ts', may: ['process', 'setImmediate'], because: 'it is the command line' },
  {
    home: 'scenarios/benchmarks/',
    may: ['performance', 'setTimeout', 'setImmediate', 'process'],
    because: 'it measures the host',
  },
  {
    home: 'scenarios/harness/wall-clock.ts',
    may: ['performance', 'setTimeout'],
    because: 'a real server has a time of its own',
  },
  {
    home: 'scenarios/interop/',
    may: ['Date.now', 'setTimeout', 'process'],
    because: 'it drives real programs, on the time of the host',
  },
  { home: 'scenarios/harness/mutants/table.ts', may: ['process'], because: 'it is run as a process of its own' },
  { home: 'scenarios/trace.ts', may: ['process'], because: 'it is run as a process of its own' },
  { home: 'scenarios/determinism.test.ts', may: ['process'], because: 'it starts processes' },
];

/** What is in flight in these folders would be state that no snapshot holds. */
const SYNCHRONOUS: Ban = {
  word: 'async',
  pattern: /\b(?:async|await|Promise)\b/g,
  instead: 'the core is synchronous: schedule an event, and leave waiting to the edge',
};
const SYNCHRONOUS_FOLDERS = ['sim/faults/', 'sim/one/', 'sim/metrics/'];

const VAGUE_NAME = /(?:^|[/.-])(?:utils?|helpers?|common|misc)(?:[/.-]|$)/;

/** A test, or what the tests of a folder share. */
const isTest = (file: string): boolean => /(?:\.test|\/testing)\.ts$/.test(file);

/** Who may import whom, as the design draws it. The first row that fits a file is its row. */
interface Direction {
  /** Globs are paths from the top; a star does not cross a slash, two do. */
  readonly files: string;
  /** What they may import, their own folder included. A later glob overrules an earlier one, `!` forbids. */
  readonly sees: readonly string[];
  /** What their tests may import besides. */
  readonly testsSee: readonly string[];
}

const [KERNEL, FAULTS, ONE, METRICS] = ['sim/kernel/**', 'sim/faults/**', 'sim/one/**', 'sim/metrics/**'] as const;
const CORE = [KERNEL, FAULTS, ONE, METRICS];
const DOOR = ['sim/index.ts', 'sim/simulator.ts', 'sim/vitest.ts'];
/** A test starts from a whole world, and holds its answers against the contract. */
const WORLD = [...DOOR, 'contracts/**'];

/** What a world's files are read with, and what a world is put into. */
const GROUND = ['config', 'machine', 'package-files', 'problem', 'simulator', 'source'].map((name) => `sim/${name}.ts`);

const DIRECTIONS: readonly Direction[] = [
  { files: KERNEL, sees: [KERNEL], testsSee: [] },
  { files: FAULTS, sees: [KERNEL, FAULTS], testsSee: WORLD },
  { files: 'sim/one/*/**', sees: [KERNEL, FAULTS, ONE], testsSee: WORLD },
  { files: ONE, sees: [KERNEL, FAULTS, ONE], testsSee: WORLD },
  { files: 'sim/metrics/*/**', sees: CORE, testsSee: WORLD },
  { files: METRICS, sees: CORE, testsSee: WORLD },
  { files: 'sim/api/*.ts', sees: [...CORE, 'sim/api/*.ts'], testsSee: WORLD },
  ...['control', 'engine', 'gatekeeper', 'oned', 'oneflow', 'prometheus'].map((api) => ({
    files: `sim/api/${api}/**`,
    sees: [...CORE, 'sim/api/*.ts', `sim/api/${api}/**`],
    testsSee: WORLD,
  })),
  { files: 'sim/net/**', sees: [...CORE, 'sim/api/*.ts', 'sim/net/**', 'sim/problem.ts'], testsSee: WORLD },
  {
    files: 'sim/world/**',
    sees: [...CORE, 'sim/api/**', 'sim/world/**', ...GROUND],
    testsSee: [...WORLD, 'sim/start.ts'],
  },
  { files: 'sim/command-line/**', sees: ['sim/**', '!sim/main.ts', 'sim/command-line/**'], testsSee: WORLD },
  { files: 'sim/main.ts', sees: ['**'], testsSee: [] },
  { files: 'sim/index.ts', sees: ['sim/**', '!sim/main.ts'], testsSee: [] },
  {
    files: 'sim/*.ts',
    sees: ['sim/**', '!sim/main.ts', '!sim/command-line/**'],
    testsSee: [...WORLD, 'sim/command-line/**'],
  },
  // The table of a deviation's switches is held against its rows.
  { files: 'contracts/**', sees: ['contracts/**', ...DOOR], testsSee: ['sim/api/*/deviations.ts'] },
  // Parts are measured from within.
  { files: 'scenarios/benchmarks/**', sees: ['**'], testsSee: [] },
  { files: 'scenarios/**', sees: ['contracts/**', 'scenarios/**', ...DOOR], testsSee: [] },
];

const BRANCH: Readonly<Record<string, string>> = { '**': '.*', '*': '[^/]*' };

function fits(file: string, glob: string): boolean {
  const source = glob.replace(/\*\*|\*|[.+?^${}()|[\]\\]/g, (part) => BRANCH[part] ?? `\\${part}`);
  return new RegExp(`^${source}$`).test(file);
}

/** Whether the last of the globs that fits lets a file in. */
function seen(file: string, globs: readonly string[]): boolean {
  const last = globs.findLast((glob) => fits(file, glob.replace(/^!/, '')));
  return last !== undefined && !last.startsWith('!');
}

/**
 * The linter's overrides that say what {@link DIRECTIONS} says; there the last that fits a file counts. Tests see more,
 * and are left to the tidy test.
 */
export function importRules(): readonly unknown[] {
  return DIRECTIONS.toReversed().map(({ files, sees }) => ({
    includes: [files, '!**/*.test.ts', '!**/testing.ts'],
    linter: { rules: { style: { noRestrictedImports: sees.includes('**') ? 'off' : restriction(files, sees) } } },
  }));
}

function restriction(files: string, sees: readonly string[]): unknown {
  const group = files.startsWith('sim/') ? fromInside(files, sees) : fromOutside(sees);
  return { level: 'error', options: { patterns: [{ group, message: directionMessage(files, sees) }] } };
}

/** What must not be imported, as it looks from the folder of the simulator that the files are in. */
function fromInside(files: string, sees: readonly string[]): string[] {
  const folder = posix.dirname(files);
  // From a folder in a folder, all that is one step up is their own.
  const nested = folder.endsWith('/*');
  const others = nested ? sees.filter((glob) => glob !== `${posix.dirname(folder)}/**`) : sees;
  const unless = others.map((glob) => {
    const specifier = posix.relative(folder, glob.replace(/^!/, ''));
    return `${glob.startsWith('!') ? '' : '!'}${specifier.startsWith('.') ? '' : './'}${specifier}`;
  });
  return [...(nested ? ['../../**'] : ['./**', '../**']), ...unless];
}

/** What must not be imported, from any folder of contracts or scenarios. */
function fromOutside(sees: readonly string[]): string[] {
  const unseen = ['sim/**', 'contracts/**', 'scenarios/**'].filter((glob) => !sees.includes(glob));
  const doors = sees.filter((glob) => !glob.endsWith('/**'));
  return [...unseen.map((glob) => `**/${glob}`), ...doors.map((glob) => `!**/${glob}`)];
}

const directionMessage = (files: string, sees: readonly string[]): string =>
  `${files} knows only ${sees.join(', ')}: move what it needs there, or take it as a parameter`;

/** What is untidy in one file, given by its path from the top. */
export function untidy(file: string, text: string): Finding[] {
  const code = codeOf(text);
  return [...name(file), ...opening(file, text), ...banned(file, text, code), ...imports(file, text, code)];
}

function name(file: string): Finding[] {
  if (!VAGUE_NAME.test(file)) return [];
  return [
    { where: `${file}:1`, what: 'a name that says nothing', instead: 'name the noun or the table that the file is' },
  ];
}

function opening(file: string, text: string): Finding[] {
  // A test says in its sentences what it is about.
  if (isTest(file) || /^(?:#!.*\n)?\s*(?:\/\*|\/\/)/.test(text)) return [];
  return [{ where: `${file}:1`, what: 'no opening comment', instead: 'say first what it models and what it mirrors' }];
}

function banned(file: string, text: string, code: string): Finding[] {
  const allowed = HOMES.filter(({ home }) => file === home || (home.endsWith('/') && file.startsWith(home)));
  const bans = BANS.filter(({ word }) => !allowed.some(({ may }) => may.includes(word)));
  if (SYNCHRONOUS_FOLDERS.some((folder) => file.startsWith(folder)) && !isTest(file)) bans.push(SYNCHRONOUS);
  return bans.flatMap(({ pattern, instead }) =>
    Array.from(code.matchAll(pattern), ({ 0: what, index }) => ({
      where: `${file}:${lineAt(text, index)}`,
      what,
      instead,
    })),
  );
}

const SPECIFIER = /\b(?:from|import)\s*\(?\s*['"]([^'"]*)['"]/g;

function imports(file: string, text: string, code: string): Finding[] {
  const direction = DIRECTIONS.find(({ files }) => fits(file, files));
  if (direction === undefined) return [];
  const sees = isTest(file) ? [...direction.sees, ...direction.testsSee] : direction.sees;
  return Array.from(code.matchAll(SPECIFIER)).flatMap((match) => {
    const end = match.index + match[0].length - 1;
    const specifier = text.slice(end - (match[1]?.length ?? 0), end);
    const target = posix.join(posix.dirname(file), specifier);
    // Packages are anyone's, and so is data.
    if (!specifier.startsWith('.') || !/\.[cm]?[jt]s$/.test(specifier) || seen(target, sees)) return [];
    const where = `${file}:${lineAt(text, match.index)}`;
    return [{ where, what: `import of ${target}`, instead: directionMessage(direction.files, sees) }];
  });
}
