/** The project's own rules hold in every file, and each of them would notice. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf } from './source.ts';
import { importRules, untidy } from './tidy.ts';

const TOP = join(import.meta.dirname, '..');

const FILES = ['sim', 'contracts', 'scenarios'].flatMap((folder) =>
  readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|mjs)$/.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
);

const read = (file: string): string => readFileSync(join(TOP, file), 'utf8');

describe('the project', () => {
  it('is tidy', () => {
    const findings = FILES.flatMap((file) => untidy(file, read(file)));
    expect(findings.map(({ where, what, instead }) => `${where}: ${what}: ${instead}`)).toEqual([]);
  });

  it('has its import directions in the linter too', () => {
    const { overrides } = JSON.parse(read('.biome.json')) as { overrides: readonly unknown[] };
    // On a difference: put what importRules() gives into the overrides of .biome.json.
    expect(overrides).toEqual(importRules());
  });
});

const untidyIn = (file: string, code: string): string[] =>
  untidy(file, `/** Opens. */\n${code}\n`).map(({ where, what }) => `${where} ${what}`);

describe('a rule notices', () => {
  it.each([
    ['const now = Date.now();', 'Date.now'],
    ['const now = new Date();', 'new Date'],
    ['const now = new Date;', 'new Date'],
    ['const now = performance.now();', 'performance.now'],
    ['const u = Math.random();', 'Math.random'],
    ['setTimeout(go, 5);', 'setTimeout'],
    ['setInterval(go, 5);', 'setInterval'],
    ["import { setImmediate } from 'node:timers/promises';", 'setImmediate'],
    ['const home = process.env.HOME;', 'process.env'],
    ["const home = process['env'];", 'process['],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source code
    ['const text = `at ${`${Date.now()}`} or so`;', 'Date.now'],
  ])('%s', (code, what) => {
    expect(untidyIn('sim/one/vm.ts', code)).toEqual([`sim/one/vm.ts:2 ${what}`]);
  });

  it.each([
    'const epoch = new Date(0);',
    'const instant = new Date(clock.now).toISOString();',
    "const text = 'Date.now() and process.env';",
    '// Unlike Date.now(), as in process.env.',
    'const pattern = /Math.random()|process\\./;',
    'const text = `setTimeout`;',
    'queue.process.next();',
    'const ratio = a / b; /* Date.now() / 2 */',
  ])('nothing in %s', (code) => {
    expect(untidyIn('sim/one/vm.ts', code)).toEqual([]);
  });

  it('what a home may, and only there', () => {
    expect(untidyIn('sim/kernel/pace.ts', 'setTimeout(go, Date.now() + performance.now());')).toEqual([]);
    expect(untidyIn('sim/main.ts', 'process.exit(0);')).toEqual([]);
    expect(untidyIn('sim/main.ts', 'Date.now();')).toEqual(['sim/main.ts:2 Date.now']);
    expect(untidyIn('scenarios/runner.ts', 'performance.now();')).toEqual(['scenarios/runner.ts:2 performance.now']);
  });

  it.each(['sim/one/vm.ts', 'sim/metrics/series.ts', 'sim/faults/judge.ts'])('what waits in %s', (file) => {
    const code = 'async function f(): Promise<void> {\n  await g();\n}';
    expect(untidyIn(file, code)).toEqual([`${file}:2 async`, `${file}:2 Promise`, `${file}:3 await`]);
    expect(untidyIn(file.replace('.ts', '.test.ts'), code)).toEqual([]);
    expect(untidyIn('sim/api/engine/engine.ts', code)).toEqual([]);
  });

  it.each(['sim/one/util.ts', 'sim/utils/x.ts', 'sim/one/vm-helpers.ts', 'scenarios/common.mjs', 'sim/misc.test.ts'])(
    'the name %s',
    (file) => expect(untidyIn(file, '')).toEqual([`${file}:1 a name that says nothing`]),
  );

  it('a file that does not say what it is', () => {
    const what = (text: string): string[] => untidy('sim/one/vm.ts', text).map((finding) => finding.what);
    expect(what("import './pool.ts';\n/** A VM. */\n")).toEqual(['no opening comment']);
    expect(what('')).toEqual(['no opening comment']);
    expect(untidy('sim/one/vm.test.ts', '')).toEqual([]);
    expect(what('#!/usr/bin/env node\n// The command line.\n')).toEqual([]);
  });

  it.each([
    ['sim/kernel/clock.ts', '../one/vm.ts', 'sim/one/vm.ts'],
    ['sim/faults/judge.ts', '../one/vm.ts', 'sim/one/vm.ts'],
    ['sim/one/vm.ts', '../metrics/series.ts', 'sim/metrics/series.ts'],
    ['sim/one/vm.ts', '../simulator.ts', 'sim/simulator.ts'],
    ['sim/metrics/series.ts', '../api/answer.ts', 'sim/api/answer.ts'],
    ['sim/api/engine/engine.ts', '../oned/xml.ts', 'sim/api/oned/xml.ts'],
    ['sim/api/engine/engine.ts', '../../simulator.ts', 'sim/simulator.ts'],
    ['sim/api/answer.ts', './engine/engine.ts', 'sim/api/engine/engine.ts'],
    ['sim/simulator.ts', './main.ts', 'sim/main.ts'],
    ['sim/simulator.ts', './command-line/serve.ts', 'sim/command-line/serve.ts'],
    ['sim/net/listen.ts', '../simulator.ts', 'sim/simulator.ts'],
    ['sim/world/furnish.ts', '../start.ts', 'sim/start.ts'],
    ['sim/simulator.ts', '../scenarios/runner.ts', 'scenarios/runner.ts'],
    ['sim/kernel/clock.test.ts', '../simulator.ts', 'sim/simulator.ts'],
    ['contracts/conformance.ts', '../sim/one/vm.ts', 'sim/one/vm.ts'],
    ['contracts/conformance.ts', '../scenarios/runner.ts', 'scenarios/runner.ts'],
    ['scenarios/laws/order.ts', '../../sim/one/vm.ts', 'sim/one/vm.ts'],
  ])('%s importing %s', (file, specifier, target) => {
    const found = [`${file}:2 import of ${target}`];
    expect(untidyIn(file, `import { x } from '${specifier}';`)).toEqual(found);
    expect(untidyIn(file, `import type {\n  X,\n} from '${specifier}';`)).toEqual([`${file}:4 import of ${target}`]);
    expect(untidyIn(file, `export * from '${specifier}';`)).toEqual(found);
    expect(untidyIn(file, `const x = import('${specifier}');`)).toEqual(found);
  });

  it.each([
    ['sim/one/vm.ts', '../kernel/clock.ts'],
    ['sim/one/vm.test.ts', '../simulator.ts'],
    ['sim/api/engine/engine.ts', '../answer.ts'],
    ['sim/api/engine/engine.ts', '../../one/vm.ts'],
    ['sim/simulator.ts', './api/engine/engine.ts'],
    ['sim/main.ts', '../scenarios/runner.ts'],
    ['sim/index.ts', './command-line/flags.ts'],
    ['sim/command-line/serve.ts', '../start.ts'],
    ['sim/world/furnish.ts', '../api/gatekeeper/furnishing.ts'],
    ['contracts/conformance.ts', '../sim/index.ts'],
    ['scenarios/laws/order.ts', '../../contracts/conformance.ts'],
    ['scenarios/benchmarks/queue.ts', '../../sim/kernel/clock.ts'],
    ['sim/one/vm.ts', '../../fixtures/defaults.json'],
    ['sim/one/vm.ts', 'node:crypto'],
  ])('nothing in %s importing %s', (file, specifier) => {
    expect(untidyIn(file, `import { x } from '${specifier}';`)).toEqual([]);
  });
});

describe('codeOf', () => {
  it('keeps code where it is, and blanks the rest', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source code
    const source = "a('b\\'c') /* d\n e */ + f // g\n/ h / `i ${j({ k: `l` })} m` + /n[/]'o/g / p";
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source code
    const expected = "a('    ')     \n      + f     \n/ h / `  ${j({ k: ` ` })}  ` + /      /g / p";
    expect(codeOf(source)).toBe(expected);
  });

  it('keeps every character of every file of ours at its place', () => {
    for (const file of FILES) {
      const text = read(file);
      const code = codeOf(text);
      expect(code.length).toBe(text.length);
      const moved = code.split('').findIndex((char, i) => char !== ' ' && char !== text[i]);
      expect(`${file} ${moved}`).toBe(`${file} -1`);
    }
  });
});
