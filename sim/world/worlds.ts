/** The world files that there are: those that come with onesim, by name, and anybody's own. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, WORLD_NAMES } from '../config.ts';
import { reason } from '../machine.ts';
import { packageFile, READ_WORLDS } from '../package-files.ts';
import { Problem } from '../problem.ts';
import type { SimulatorConfig } from '../simulator.ts';
import { furnisher } from './mould.ts';
import { readWorld, type World, type WorldFile } from './world-file.ts';

const FOLDER = fileURLToPath(packageFile('fixtures/worlds/'));
const READ_FOLDER = fileURLToPath(READ_WORLDS);

type Wanted = Config['world'];

/** @throws Problem */
export async function loadWorld(wanted: Wanted): Promise<WorldFile> {
  return (await loadRead(wanted)) ?? readFromSource(wanted);
}

/**
 * What `createSimulator` furnishes a cloud with.
 * @param world `default`, `empty` or `recorded`, or the path of a world file
 * @throws Problem
 */
export async function furnishing(world: string): Promise<SimulatorConfig['furnish']> {
  const name = WORLD_NAMES.find((candidate) => candidate === world);
  const worldFile = await loadWorld(name === undefined ? { file: world } : { name });
  return furnisher(worldFile);
}

async function loadRead(wanted: Wanted): Promise<WorldFile | undefined> {
  if (!('name' in wanted)) return undefined;
  const file = resolve(READ_FOLDER, `${wanted.name}.json`);
  if (!existsSync(file)) return undefined;
  const world = JSON.parse(await readFile(file, 'utf8')) as World;
  return { world, place: (path) => `${wanted.name}.yaml: ${path.join('/')}` };
}

/** @throws Problem */
export async function readFromSource(wanted: Wanted): Promise<WorldFile> {
  const file = 'name' in wanted ? resolve(FOLDER, `${wanted.name}.yaml`) : wanted.file;
  const [text, schema] = await Promise.all([readText(file), readText(resolve(FOLDER, 'schema.json'))]);
  const shown = 'name' in wanted ? `${wanted.name}.yaml` : file;
  return readWorld(text, shown, JSON.parse(schema), (path) => readFile(resolve(dirname(file), path), 'utf8'));
}

/** @throws Problem */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`);
  }
}
