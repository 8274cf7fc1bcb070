/** Reads the worlds that come with onesim, once, when it is built: then no start needs a parser and a validator for them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { WORLD_NAMES } from '../config.ts';
import { packageFile } from '../package-files.ts';
import { readFromSource } from './worlds.ts';

const FOLDER = packageFile('dist/worlds/');

await mkdir(FOLDER, { recursive: true });
for (const name of WORLD_NAMES) {
  const { world } = await readFromSource({ name });
  await writeFile(new URL(`${name}.json`, FOLDER), JSON.stringify(world));
}
