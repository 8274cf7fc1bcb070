/** `onesim snapshot|reset|sandbox`: the world of a running stand-in as a whole, from the command line. */
import type { SandboxAnswer } from '../api/control/sandboxes.ts';
import { ControlError } from '../control-client.ts';
import { reason } from '../machine.ts';
import { Problem } from '../problem.ts';
import type { Subcommands } from './subcommand.ts';

export const SNAPSHOT: Subcommands = {
  save: {
    usage: 'FILE',
    meaning: 'write the whole world down',
    words: [1, 1],
    async run({ client, words: [file = ''], machine }) {
      const text = await client.snapshot();
      await machine.writeFile(file, text).catch((error) => {
        throw new Problem(`${file}: cannot be written: ${reason(error)}`);
      });
      return { json: { file, bytes: text.length }, lines: [`the world is in ${file}`] };
    },
  },
  restore: {
    usage: 'FILE',
    meaning: 'go on with the world in a file',
    words: [1, 1],
    async run({ client, words: [file = ''], machine }) {
      const text = await machine.readFile(file).catch((error) => {
        throw new Problem(`${file}: ${reason(error)}`);
      });
      await client.restore(text).catch((error) => {
        throw error instanceof ControlError ? new Problem(`${file}: ${error.message}`) : error;
      });
      return { json: null, lines: [`the world is that of ${file}`] };
    },
  },
};

export const RESET: Subcommands = {
  world: {
    usage: '[--seed N] [--empty]',
    meaning: 'put the world back as it was loaded, or begin with nothing',
    flags: ['--seed', '--empty'],
    words: [0, 0],
    async run({ client, flags: { '--seed': seed, '--empty': empty } }) {
      await client.reset({ ...(seed !== undefined && { seed }), ...(empty && { world: 'empty' }) });
      return { json: null, lines: [empty ? 'the world is empty' : 'the world is as it was loaded'] };
    },
  },
};

export const SANDBOX: Subcommands = {
  list: {
    usage: '',
    meaning: 'the worlds beside the main one',
    words: [0, 0],
    async run({ client }) {
      const json = await client.sandboxes.list();
      return { json, lines: json.length === 0 ? ['there is no sandbox'] : json.map(sandboxLine) };
    },
  },
  open: {
    usage: '[NAME] [--seed N] [--clock real|virtual|Nx] [--empty]',
    meaning: "a world of one's own, on a clock that stands still unless told otherwise",
    flags: ['--seed', '--clock', '--empty'],
    words: [0, 1],
    async run({ client, words: [name], flags: { '--seed': seed, '--clock': clock = 0, '--empty': empty } }) {
      const json = await client.sandboxes.open({
        clock,
        ...(name !== undefined && { name }),
        ...(seed !== undefined && { seed }),
        ...(empty && { world: 'empty' }),
      });
      return { json, lines: [sandboxLine(json)] };
    },
  },
  close: {
    usage: 'NAME',
    meaning: 'end one, and its streams',
    words: [1, 1],
    async run({ client, words: [name = ''] }) {
      await client.sandboxes.close(name);
      return { json: null, lines: [`gone: ${name}`] };
    },
  },
};

const sandboxLine = ({ name, seed, now, path }: SandboxAnswer): string => `${name}  seed ${seed}  ${now}  ${path}`;
