#!/usr/bin/env node
/** The command line: the only file that touches the process, prints, or exits. */
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { HARNESS_COMMANDS } from '../scenarios/harness/commands.ts';
import { run } from './command-line/command.ts';
import { EXIT_CODES } from './command-line/exit-codes.ts';
import type { Machine } from './machine.ts';
import { packageFile } from './package-files.ts';

/** Exit codes of a process that a signal ended at once, as shells have them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

const CRASH = 70;

/** Lines of one turn of the event loop go out together. */
let lines = '';

function flush(): void {
  if (lines !== '') process.stdout.write(lines);
  lines = '';
}

const machine: Machine = {
  pid: process.pid,
  home: homedir(),
  env: process.env,
  isTerminal: process.stdout.isTTY === true,
  readFile: (path) => readFile(path, 'utf8'),
  writeFile: (path, text) => writeFile(path, text),
  fetch: (url, request) => fetch(url, request),
  out(line) {
    if (lines === '') setImmediate(flush);
    lines += `${line}\n`;
  },
  err: (line) => void process.stderr.write(`${line}\n`),
  stopped: () =>
    new Promise((resolve) => {
      let asked = false;
      for (const [signal, code] of Object.entries(SIGNALS)) {
        process.on(signal, () => {
          if (asked) process.exit(code);
          asked = true;
          resolve();
        });
      }
    }),
};

// What we did not foresee is nobody's verdict.
process.on('uncaughtException', (error) => {
  flush();
  process.stderr.write(`onesim: ${EXIT_CODES[CRASH]}, please report it\n${error.stack ?? error}\n`);
  process.exit(CRASH);
});

// A reader of our output that goes away takes only the output with it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
const code = await run(process.argv.slice(2), version, machine, HARNESS_COMMANDS);
flush();
process.exit(code);
