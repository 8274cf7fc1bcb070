/** The README, executed: every command of its consoles in order on one world, and what it says is answered. */
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { run } from './command-line/command.ts';
import type { Machine } from './machine.ts';
import { loadSimulator } from './start.ts';

const file = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const README = file('README.md');
const blocks = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

const simulator = await loadSimulator();
const variables: Record<string, string> = {};
const HOME = '/home/alice';
/** What the commands have written. */
const files: Record<string, string> = {};

/** The words of a command, as a shell splits them. */
function words(command: string): string[] {
  const expand = (text: string): string => text.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? '');
  return [...command.matchAll(/(?:'([^']*)'|"([^"]*)"|([^\s'"]+))/g)].map(
    ([, single, double, bare]) => single ?? expand(double ?? bare ?? ''),
  );
}

async function curl(args: string[]): Promise<string> {
  const headers: Record<string, string> = {};
  let url = '';
  let body: string | undefined;
  let asked: string | undefined;
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    const value = (): string => args.shift() ?? '';
    if (arg === '-s') continue;
    if (arg === '-X') asked = value();
    else if (arg === '-u') headers.Authorization = `Basic ${btoa(value())}`;
    else if (arg === '-H') {
      const [name = '', ...rest] = value().split(':');
      headers[name] = rest.join(':');
    } else if (arg === '-d') {
      const data = value();
      body = data.startsWith('@') ? file(data.slice(1)) : data;
    } else if (arg.startsWith('-')) throw new Error(`curl ${arg} is not known here`);
    else url = `http://${arg}`;
  }
  const method = asked ?? (body === undefined ? 'GET' : 'POST');
  const response = await simulator.fetch(
    new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }),
  );
  return response.text();
}

async function onesim(args: string[]): Promise<string> {
  const lines: string[] = [];
  const out = (line: string): void => void lines.push(line);
  const machine: Pick<Machine, 'home' | 'env' | 'readFile' | 'writeFile' | 'fetch' | 'out' | 'err'> = {
    home: HOME,
    env: {},
    readFile: async (path) => files[path] ?? '',
    writeFile: async (path, text) => {
      files[path] = text;
    },
    fetch: (url, request) => simulator.fetch(new Request(url, request)),
    out,
    err: out,
  };
  await run(args, '', machine as Machine);
  return lines.join('\n');
}

type Stage = (args: string[], input: string) => string | Promise<string>;

/** The programs of the README's pipelines. */
const PROGRAMS: Readonly<Record<string, Stage>> = {
  curl,
  echo([text = '', , path = '']) {
    files[path.replace('~', HOME)] = `${text}\n`;
    return '';
  },
  npx: ([, ...args]) => onesim(args),
  grep: ([pattern = ''], input) =>
    input
      .split('\n')
      .filter((line) => line.includes(pattern))
      .join('\n'),
  cut: ([, delimiter = '', , field = '1'], input) => input.split(delimiter)[Number(field) - 1] ?? '',
  base64: (_, input) => Buffer.from(input, 'base64').toString(),
  node: ([, script = ''], input) =>
    String(runInNewContext(script, { JSON, require: () => ({ readFileSync: () => input }) })),
};

async function shell(command: string): Promise<string> {
  const [, name, substituted, plain] = /^(\w+)=(?:\$\((.*)\)|(\S+))$/s.exec(command) ?? [];
  if (name !== undefined) {
    variables[name] = substituted === undefined ? (plain ?? '') : await shell(substituted);
    return '';
  }
  let output = '';
  for (const stage of command.split(' | ')) {
    const [program = '', ...args] = words(stage);
    const act = PROGRAMS[program];
    if (act === undefined) throw new Error(`${program} is not known here`);
    output = await act(args, output);
  }
  return output;
}

/** What is printed, with `…` for anything. */
function pattern(expected: string): RegExp {
  const parts = expected.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`);
}

describe('the consoles', () => {
  for (const block of blocks('console')) {
    const commands = block.split(/^\$ /m).filter((text) => text !== '');
    for (const text of commands) {
      const [command = '', ...expected] = text.trimEnd().split('\n');
      it(command, async () => {
        const output = (await shell(command)).trimEnd();
        expect(output).toMatch(pattern(expected.join('\n')));
      });
    }
  }
});

it.each(['example', 'fixture'])('the example in scenarios/%s.test.ts is one that runs', (name) => {
  const [, running = ''] = file(`scenarios/${name}.test.ts`).split(/\*\/\n/);
  const published = running.replace('../sim/index.ts', 'onesim').replace('../sim/vitest.ts', 'onesim/vitest');
  expect(blocks('ts')).toContain(published);
});

it('the scripts it names are there', () => {
  const { scripts } = JSON.parse(file('package.json')) as { scripts: Record<string, string> };
  const named = [...README.matchAll(/npm (?:run )?([a-z]+(?::[a-z]+)?)\b/g)].map(([, name = '']) => name);
  expect(named.filter((name) => name !== 'ci' && !Object.hasOwn(scripts, name))).toEqual([]);
});
