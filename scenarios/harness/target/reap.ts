/** `onesim reap`: deletes what a run that was broken off has left on a server, as its ledger tells, and nothing else. */
import { flags, type Machine, Problem, reason } from '../../../sim/index.ts';
import { COMMAND_FLAGS, only } from '../flags.ts';
import { cleanUp, leftName } from './clean-up.ts';
import { Ledger, openEntries, readLedger } from './ledger.ts';
import { OUTSIDE, type Outside } from './outside.ts';
import { problemOf, Wire } from './wire.ts';

type Client = Pick<Machine, 'readFile' | 'out'>;

const TABLE = only(COMMAND_FLAGS.reap.own);

/** Ends with 0 when nothing is left, and 3 otherwise. @throws Problem */
export async function reap(args: readonly string[], machine: Client, outside: Outside = OUTSIDE): Promise<0 | 3> {
  const { flags: told, words } = flags.readFlags(TABLE, args);
  const { '--ledger': file, '--target': target, '--patience': patienceMs } = told;
  const { '--auth': owner, '--other-auth': other = owner, '--admin-auth': admin = owner } = told;
  if (words.length > 0) throw new Problem(`unexpected argument ${JSON.stringify(words[0])}`);
  if (target === undefined) throw new Problem('say where, with --target URL');
  if (owner === undefined) throw new Problem('say whose, with --auth user:password');
  const entries = openEntries(readLedger(await contentOf(file, machine), file));
  const there = entries.filter((entry) => entry.target === target);
  const elsewhere = [...new Set(entries.filter((entry) => entry.target !== target).map((entry) => entry.target))];
  if (elsewhere.length > 0) machine.out(`${file} also tells of ${elsewhere.join(', ')}: that is left alone`);
  machine.out(`${there.length} to be deleted at ${target}`);
  if (there.length === 0) return 0;

  const durable = await outside.durable(file);
  const wire = new Wire(outside, new Ledger('', durable), {
    ...{ target, rate: told['--rate'], serial: true, timeoutMs: told['--timeout'] },
    tell: machine.out,
    secrets: [owner, other, admin].filter((session) => session !== undefined),
  });
  try {
    await wire.send(new Request(`${target}/server/version`));
  } catch (error) {
    throw new Problem(`--target: ${target} does not answer: ${problemOf(error)}`);
  }
  const left = await cleanUp(there, {
    ...{ wire, credentials: { owner, other, admin }, patienceMs },
    async gone(entry) {
      await durable(`${JSON.stringify({ kind: 'gone', n: entry.n, mark: entry.mark })}\n`);
      machine.out(`  gone      ${leftName(entry)}`);
    },
  });
  for (const { what, why } of left) machine.out(`  left      ${what}: ${why}`);
  return left.length === 0 ? 0 : 3;
}

async function contentOf(file: string, machine: Client): Promise<string> {
  try {
    return await machine.readFile(file);
  } catch (error) {
    throw new Problem(`--ledger: ${file}: ${reason(error)}`);
  }
}
