/** `onesim fault`: what breaks in a running stand-in. */
import type { Fault } from '../faults/fault.ts';
import type { FaultSpec } from '../faults/schema.ts';
import { suggestion } from '../kernel/nearest.ts';
import { type Machine, reason } from '../machine.ts';
import { Problem } from '../problem.ts';
import { readSource } from '../source.ts';
import { said } from './lines.ts';
import { MANY, type Subcommands } from './subcommand.ts';

export const FAULT: Subcommands = {
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
      return { json: armed, lines: armed.length === 0 ? ['there is no fault in it'] : armed.map(faultLine) };
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
      await client.faults.disarmAll();
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
