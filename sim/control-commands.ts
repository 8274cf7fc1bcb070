/** `onesim clock|fault|journal|snapshot|reset|sandbox`: a running stand-in, driven from the command line over its control API. */
import type { ClockAnswer } from './api/control/clock.ts';
import type { EntryAnswer, EntryFilter } from './api/control/entry.ts';
import { CONFIG_DEFAULTS } from './config.ts';
import { type ControlClient, ControlError, controlClient } from './control-client.ts';
import type { Fault } from './faults/fault.ts';
import type { FaultSpec } from './faults/schema.ts';
import { count, duration, on, optional, readFlags, text, url } from './flags.ts';
import { suggestion } from './kernel/nearest.ts';
import { type Machine, reason } from './machine.ts';
import { Problem } from './problem.ts';
import { readSource } from './source.ts';
import { RESET, SANDBOX, SNAPSHOT } from './state-commands.ts';

const FLAGS = {
  '--url': optional(url),
  '--json': on,
  '--max': optional(duration),
  '--max-events': optional(count(1, 1_000_000_000)),
  '--seed': optional(count(0, Number.MAX_SAFE_INTEGER)),
  '--empty': on,
  '--limit': optional(count(1, 10_000)),
  '--kind': optional(text),
  '--subject': optional(text),
  '--because': optional(count(1, 2 ** 31)),
  '--after': optional(count(0, 2 ** 31)),
};

type Flags = ReturnType<typeof readFlags<typeof FLAGS>>['flags'];

/** What a subcommand is given. */
interface Call {
  readonly client: ControlClient;
  readonly words: readonly string[];
  readonly flags: Flags;
  readonly machine: Machine;
}

interface Subcommand {
  /** What follows its name. */
  readonly usage: string;
  readonly meaning: string;
  /** Flags it takes besides `--url` and `--json`. */
  readonly flags?: readonly (keyof typeof FLAGS)[];
  /** How many words it takes at least and at most. */
  readonly words: readonly [number, number];
  /** Returns what `--json` prints, and the lines that stand for it otherwise. */
  run(call: Call): Promise<{ readonly json: unknown; readonly lines: readonly string[]; readonly code?: number }>;
}

export type Subcommands = Readonly<Record<string, Subcommand>>;

const MANY = Number.POSITIVE_INFINITY;

// ---- clock ------------------------------------------------------------------------------------------------------------

const clocked = async (answer: Promise<ClockAnswer>) => {
  const json = await answer;
  return { json, lines: clockLines(json) };
};

const CLOCK: Subcommands = {
  show: { usage: '', meaning: 'what time it is', words: [0, 0], run: ({ client }) => clocked(client.clock.get()) },
  freeze: {
    usage: '',
    meaning: 'time stands still',
    words: [0, 0],
    run: ({ client }) => clocked(client.clock.freeze()),
  },
  resume: { usage: '', meaning: 'time goes on', words: [0, 0], run: ({ client }) => clocked(client.clock.resume()) },
  scale: {
    usage: 'FACTOR',
    meaning: 'so many simulated seconds a second, such as 60x',
    words: [1, 1],
    run: ({ client, words: [factor = ''] }) =>
      clocked(client.clock.scale(numberIn('FACTOR', factor.replace(/x$/, '')))),
  },
  advance: {
    usage: 'DURATION',
    meaning: 'such as 90s, 10m or 1h',
    words: [1, 1],
    run: ({ client, words: [given = ''] }) => clocked(client.clock.advance(durationIn('DURATION', given))),
  },
  step: {
    usage: '[N]',
    meaning: 'the next event, or the next N',
    words: [0, 1],
    run: ({ client, words: [n = '1'] }) => clocked(client.clock.step(numberIn('N', n))),
  },
  'run-until-idle': {
    usage: '[--max-events N]',
    meaning: 'until nothing more is going to happen',
    flags: ['--max-events'],
    words: [0, 0],
    run: ({ client, flags }) => clocked(client.clock.runUntilIdle(flags['--max-events'])),
  },
  'run-until': {
    usage: 'KIND [SUBJECT] [KEY=VALUE…] [--max DURATION] [--max-events N]',
    meaning: 'until that is journalled: vm.state vm/1 to=RUNNING',
    flags: ['--max', '--max-events'],
    words: [1, MANY],
    run({ client, words, flags }) {
      const [kind, subject, ...more] = words.filter((word) => !word.includes('='));
      if (more.length > 0) throw new Problem(`clock run-until: ${JSON.stringify(more[0])} is no KEY=VALUE`);
      const { '--max': maxMs, '--max-events': maxEvents } = flags;
      const entry = { ...(kind && { kind }), ...(subject && { subject }), ...detailIn(words) };
      const bounds = { ...(maxMs && { maxMs }), ...(maxEvents && { maxEvents }) };
      return clocked(client.clock.runUntil(entry, bounds));
    },
  },
};

function clockLines({ now, factor, events, nextDue, waiters }: ClockAnswer): string[] {
  const pace = factor === 0 ? 'frozen' : factor === 1 ? 'real time' : `${factor}x`;
  return [
    ...events.map(entryLine),
    `${now}  ${pace}${nextDue === null ? '; nothing is scheduled' : `; next event at ${nextDue}`}`,
    ...waiters.map(({ what, due }) => `waiting until ${due}: ${what}`),
  ];
}

// ---- faults -----------------------------------------------------------------------------------------------------------

const FAULT: Subcommands = {
  list: {
    usage: '',
    meaning: 'what is armed, and what it has done',
    words: [0, 0],
    async run({ client }) {
      const json = await client.faults.list();
      return { json, lines: json.length === 0 ? ['no fault is armed'] : json.map(faultLine) };
    },
  },
  add: {
    usage: 'FILE|JSON…',
    meaning: 'arm faults: files of YAML or JSON with one or a list, or JSON itself',
    words: [1, MANY],
    async run({ client, words, machine }) {
      const specs = (await Promise.all(words.map((word) => faultsIn(word, machine)))).flat();
      const armed: Fault[] = [];
      try {
        for (const spec of specs) armed.push(await client.faults.arm(spec));
      } catch (error) {
        // All of them or none.
        for (const { id } of armed) await client.faults.disarm(id);
        throw error;
      }
      return { json: armed, lines: armed.map(faultLine) };
    },
  },
  rm: {
    usage: 'ID…',
    meaning: 'take faults away; what they broke heals',
    words: [1, MANY],
    async run({ client, words }) {
      const known = (await client.faults.list()).map(({ id }) => id);
      for (const id of words) {
        if (!known.includes(id)) throw new Problem(`there is no fault ${id}${suggestion(id, known)}`);
      }
      for (const id of words) await client.faults.disarm(id);
      return { json: words, lines: words.map((id) => `${id} is gone`) };
    },
  },
  clear: {
    usage: '',
    meaning: 'take all away',
    words: [0, 0],
    async run({ client }) {
      const ids = (await client.faults.list()).map(({ id }) => id);
      for (const id of ids) await client.faults.disarm(id);
      return { json: ids, lines: [ids.length === 0 ? 'no fault was armed' : `gone: ${ids.join(', ')}`] };
    },
  },
};

async function faultsIn(word: string, machine: Machine): Promise<readonly FaultSpec[]> {
  const inline = word.trimStart().startsWith('{') || word.trimStart().startsWith('[');
  const { value } = await readSource(inline ? word : await fileText(word, machine), inline ? 'the fault' : word);
  const { faults = value } = typeof value === 'object' && value !== null ? (value as { faults?: unknown }) : {};
  // What is in it the stand-in checks: it knows what there is.
  return (Array.isArray(faults) ? faults : [faults]) as FaultSpec[];
}

async function fileText(file: string, machine: Machine): Promise<string> {
  try {
    return await machine.readFile(file);
  } catch (error) {
    throw new Problem(`cannot read ${file}: ${reason(error)}`);
  }
}

function faultLine({ id, selector, effect, state, hits, seen }: Fault): string {
  const { layer, ...parts } = selector as Record<string, unknown>;
  const { do: effected, ...how } = effect as Record<string, unknown>;
  return `${id}  ${layer} ${effected}${said(how)}  on${said(parts) || ' all'}  ${state}, hit ${hits} of ${seen}`;
}

const said = (parts: Readonly<Record<string, unknown>>): string =>
  Object.entries(parts)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');

// ---- journal ----------------------------------------------------------------------------------------------------------

const FILTER = ['--kind', '--subject', '--because', '--after'] as const;

const JOURNAL: Subcommands = {
  show: {
    usage: '[KEY=VALUE…] [--kind K] [--subject S] [--because N] [--after N] [--limit N]',
    meaning: 'what happened, oldest first',
    flags: [...FILTER, '--limit'],
    words: [0, MANY],
    async run({ client, words, flags }) {
      const limit = flags['--limit'];
      const { entries } = await client.journal.read({ ...filterIn(words, flags), ...(limit && { limit }) });
      return { json: entries, lines: entries.map(entryLine) };
    },
  },
  count: {
    usage: '[KEY=VALUE…] [--kind K] [--subject S] [--because N] [--after N]',
    meaning: 'how often',
    flags: FILTER,
    words: [0, MANY],
    async run({ client, words, flags }) {
      const json = await client.journal.count(filterIn(words, flags));
      return { json, lines: [String(json)] };
    },
  },
  wait: {
    usage: '[KEY=VALUE…] [--kind K] [--subject S] [--because N] [--after N] [--max DURATION]',
    meaning: 'until that has happened, at most 30s of real time',
    flags: [...FILTER, '--max'],
    words: [0, MANY],
    async run({ client, words, flags }) {
      const { '--max': timeoutMs = 30_000 } = flags;
      const { reached, entries } = await client.journal.wait({ ...filterIn(words, flags), timeoutMs });
      if (!reached) return { json: [], lines: [`that has not happened within ${timeoutMs} ms`], code: 1 };
      return { json: entries, lines: entries.map(entryLine) };
    },
  },
  why: {
    usage: 'VM',
    meaning: 'how a VM, such as 13, came to be what it is',
    words: [1, 1],
    async run({ client, words: [vm = ''] }) {
      const json = await client.vms.history(numberIn('VM', vm.replace(/^vm\//, '')));
      // What stands above needs no telling again.
      const told = new Set<number>();
      const lines = json.history.flatMap(({ entry, because }) => {
        const fresh = because.filter(({ seq }) => !told.has(seq));
        for (const { seq } of [entry, ...fresh]) told.add(seq);
        return [entryLine(entry), ...fresh.map((cause) => `    because ${entryLine(cause)}`)];
      });
      return {
        json,
        lines: [...lines, `VM ${json.id} is ${json.lcmState === 'LCM_INIT' ? json.state : json.lcmState}`],
      };
    },
  },
};

function filterIn(words: readonly string[], flags: Flags): EntryFilter & { readonly after?: number } {
  const [wrong] = words.filter((word) => !word.includes('='));
  if (wrong !== undefined) throw new Problem(`journal: ${JSON.stringify(wrong)} is no KEY=VALUE`);
  const { '--kind': kind, '--subject': subject, '--because': because, '--after': after } = flags;
  return {
    ...(kind && { kind }),
    ...(subject && { subject }),
    ...(because && { because }),
    ...(after !== undefined && { after }),
    ...detailIn(words),
  };
}

/** The words that name a part of an entry's detail. */
function detailIn(words: readonly string[]): Pick<EntryFilter, 'detail'> {
  const parts = words.filter((word) => word.includes('='));
  if (parts.length === 0) return {};
  return {
    detail: Object.fromEntries(
      parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
    ),
  };
}

const entryLine = ({ seq, at, kind, subject, detail }: EntryAnswer): string =>
  `${at}  ${String(seq).padStart(5)}  ${kind.padEnd(12)} ${subject}${said(detail)}`;

// ---- the commands -----------------------------------------------------------------------------------------------------

/** By command, its subcommands; the first is meant when none is named. */
const COMMANDS: Readonly<Record<'clock' | 'fault' | 'journal' | 'snapshot' | 'reset' | 'sandbox', Subcommands>> = {
  clock: CLOCK,
  fault: FAULT,
  journal: JOURNAL,
  snapshot: SNAPSHOT,
  reset: RESET,
  sandbox: SANDBOX,
};

/** For completion: the subcommands of each command, and the flags. */
export const SUBCOMMANDS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(COMMANDS).map(([name, subcommands]) => [name, Object.keys(subcommands)]),
);
export const CONTROL_FLAGS = Object.keys(FLAGS);

/** Returns the exit code. @throws Problem */
export async function control(name: keyof typeof COMMANDS, args: readonly string[], machine: Machine): Promise<number> {
  const subcommands = COMMANDS[name];
  const { flags, words, given } = readFlags(FLAGS, args);
  const { called, sub, rest } = subcommandIn(name, subcommands, words);
  const foreign = [...given].find((flag) => !['--url', '--json', ...(sub.flags ?? [])].includes(flag));
  if (foreign !== undefined) throw new Problem(`${called} has no flag ${foreign}\n${usage(name, subcommands)}`);
  const [least, most] = sub.words;
  if (rest.length < least || rest.length > most) throw new Problem(`usage: onesim ${called} ${sub.usage}`.trimEnd());
  const base = flags['--url'] ?? usualUrl(machine);
  const client = controlClient(base, (target, init) => machine.fetch(target, init));
  try {
    const { json, lines, code = 0 } = await sub.run({ client, words: rest, flags, machine });
    for (const line of flags['--json'] ? [JSON.stringify(json)] : lines) machine.out(line);
    return code;
  } catch (error) {
    if (error instanceof ControlError) throw new Problem(error.message);
    // What fetch throws says what happened only in its cause.
    const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : undefined;
    if (cause === undefined) throw error;
    throw new Problem(
      `cannot reach ${base}: ${reason(cause)}; name a stand-in with --url, or start one with onesim serve`,
    );
  }
}

function subcommandIn(name: string, subcommands: Subcommands, words: readonly string[]) {
  const [usual = ''] = Object.keys(subcommands);
  const [first = usual] = words;
  if (Object.hasOwn(subcommands, first)) {
    return { called: `${name} ${first}`, sub: subcommands[first] as Subcommand, rest: words.slice(1) };
  }
  // A word that is no subcommand is a misspelt one, unless it can be meant for the usual one.
  if (first.includes('=')) return { called: name, sub: subcommands[usual] as Subcommand, rest: words };
  const meant = suggestion(first, Object.keys(subcommands));
  throw new Problem(`unknown command ${JSON.stringify(`${name} ${first}`)}${meant}\n${usage(name, subcommands)}`);
}

const usage = (name: string, subcommands: Subcommands): string =>
  Object.entries(subcommands)
    .map(([sub, { usage, meaning }]) => `  onesim ${`${name} ${sub} ${usage}`.trimEnd()}: ${meaning}`)
    .join('\n');

/** Where serve listens, when it is told by the same variables. */
function usualUrl({ env }: Machine): string {
  const { host, port } = CONFIG_DEFAULTS;
  return `http://${env.ONESIM_HOST ?? host}:${env.ONESIM_PORT ?? port}`;
}

function numberIn(name: string, given: string): number {
  if (!/^\d{1,12}(\.\d{1,6})?$/.test(given))
    throw new Problem(`${name}: expected a number, not ${JSON.stringify(given)}`);
  return Number(given);
}

function durationIn(name: string, given: string): number {
  const ms = duration.read(given);
  if (ms === undefined) throw new Problem(`${name}: expected ${duration.allowed}, not ${JSON.stringify(given)}`);
  return ms;
}
