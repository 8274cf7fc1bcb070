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

/** Those that come with onesim, which do not change: whoever asks for one again shares what is known of it. */
const known = new Map<string, Promise<WorldFile>>();

/** @throws Problem */
export function loadWorld(wanted: Wanted): Promise<WorldFile> {
  if ('file' in wanted) return readFromSource(wanted);
  const { name } = wanted;
  const world = known.get(name) ?? loadKnown(name);
  known.set(name, world);
  return world;
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

async function loadKnown(name: (typeof WORLD_NAMES)[number]): Promise<WorldFile> {
  const file = resolve(READ_FOLDER, `${name}.json`);
  if (!existsSync(file)) return readFromSource({ name });
  const world = JSON.parse(await readFile(file, 'utf8')) as World;
  return { world, place: (path) => `${name}.yaml: ${path.join('/')}` };
}

let schema: Promise<object> | undefined;

/** @throws Problem */
export async function readFromSource(wanted: Wanted): Promise<WorldFile> {
  const file = 'name' in wanted ? resolve(FOLDER, `${wanted.name}.yaml`) : wanted.file;
  schema ??= readText(resolve(FOLDER, 'schema.json')).then((text) => JSON.parse(text));
  const [text, form] = await Promise.all([readText(file), schema]);
  const shown = 'name' in wanted ? `${wanted.name}.yaml` : file;
  return readWorld(text, shown, form, (path) => readFile(resolve(dirname(file), path), 'utf8'));
}

/** @throws Problem */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`);
  }
}
