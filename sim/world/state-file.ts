/** The file in which a stand-in keeps its world from one start to the next. */
import { randomUUID } from 'node:crypto';
import { access, constants, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Unreadable } from '../kernel/held.ts';
import { reason } from '../machine.ts';
import { Problem } from '../problem.ts';
import type { Simulator } from '../simulator.ts';

/** Goes on with what is in the file, if there is one. @throws Problem, also when the file could not be written later */
export async function loadState(file: string, simulator: Simulator): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Problem(`${file}: ${reason(error)} (--state)`);
  });
  await access(dirname(file), constants.W_OK).catch(() => {
    throw new Problem(`${file}: nothing can be written in the folder ${dirname(file)} (--state)`);
  });
  if (text === undefined) return;
  try {
    simulator.restore(text);
  } catch (error) {
    if (error instanceof Unreadable) throw new Problem(`${file}: ${error.message} (--state)`);
    throw error;
  }
}

/** Whatever happens meanwhile, the file is the old one or the new one, whole. @throws Problem */
export async function saveState(file: string, simulator: Simulator): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(simulator.snapshot());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw new Problem(`${file}: the world could not be saved: ${reason(error)} (--state)`);
  }
}
