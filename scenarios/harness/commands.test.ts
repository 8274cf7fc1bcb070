/** What the harness's commands say of themselves, and what is said of them elsewhere, is what they take. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../sim/index.ts';
import { HARNESS_COMMANDS } from './commands.ts';
import { COMMAND_FLAGS, FLAGS } from './flags.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

type Name = keyof typeof COMMAND_FLAGS;
const NAMES = Object.keys(COMMAND_FLAGS) as Name[];

const flagsOf = (name: Name): readonly (keyof typeof FLAGS)[] => [
  ...COMMAND_FLAGS[name].own,
  ...COMMAND_FLAGS[name].ofTargets,
];

describe.each(NAMES)('onesim %s --help', (name) => {
  test('has a line for each flag, with its default, and one for each exit code', async () => {
    const lines = (await HARNESS_COMMANDS[name].help?.())?.split('\n') ?? [];
    expect(lines[0]).toBe(`onesim ${HARNESS_COMMANDS[name].usage}`);
    for (const flag of flagsOf(name)) {
      const { value, meaning, without } = FLAGS[flag];
      const [line = '', ...more] = lines.filter((each) => each.trim().split(' ')[0] === flag);
      expect(more).toEqual([]);
      expect(line).toMatch(/^ {2}\S/);
      for (const part of [value, meaning, without === '' ? '' : `(${without})`]) expect(line).toContain(part);
      expect(line.length, line).toBeLessThanOrEqual(130);
    }
    for (const code of COMMAND_FLAGS[name].codes) expect(lines).toContain(`  ${code}   ${exitCodes.EXIT_CODES[code]}`);
  });

  test('and a shell completes them', async () => {
    expect(await HARNESS_COMMANDS[name].words?.()).toEqual(flagsOf(name));
  });

  test('names no flag of another command', async () => {
    const told = [...((await HARNESS_COMMANDS[name].help?.()) ?? '').matchAll(/^ {2}(--[a-z-]+)/gm)].map(
      ([, flag]) => flag,
    );
    expect(told).toEqual(flagsOf(name));
  });
});

test('every flag is one of some command', () => {
  expect(new Set(NAMES.flatMap(flagsOf))).toEqual(new Set(Object.keys(FLAGS)));
});

/** The commands of the README, a CI’s and a cluster’s variables filled in. */
const COMMANDS = [
  ...README.replaceAll(/( \\)?\n +(?=--)/g, ' ').matchAll(/npx onesim ([a-z-]+)((?: +[^\n]*?)?)(?= {2,}#|\n|$)/g),
].map(([, name = '', rest = '']) => {
  const filled = rest
    .replaceAll(/\$\{\{ matrix\.part \}\}/g, '2')
    .replaceAll(/\$\(\(JOB_COMPLETION_INDEX \+ 1\)\)/g, '3');
  return [name, filled.trim()] as const;
});
const OURS = COMMANDS.filter(([name]) => Object.hasOwn(COMMAND_FLAGS, name));

test('the README has commands of ours', () => {
  expect(new Set(OURS.map(([name]) => name))).toEqual(new Set(['verify', 'reap', 'merge-reports', 'run']));
});

test.each(OURS)('the README’s onesim %s %s is understood', (name, rest) => {
  const words = rest.split(/ +/);
  for (const [n, flag] of words.entries()) {
    if (!flag.startsWith('--')) continue;
    expect(flagsOf(name as Name)).toContain(flag);
    const { allowed, read } = FLAGS[flag as keyof typeof FLAGS];
    if (allowed !== '') expect(read(words[n + 1] ?? ''), `${flag} ${words[n + 1]}`).toBeDefined();
  }
});

test('the README has the table of exit codes', () => {
  const rows = Object.entries(exitCodes.EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  const told = README.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
  expect(told).toEqual(expect.arrayContaining(rows));
});
