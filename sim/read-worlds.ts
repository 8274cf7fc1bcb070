/** Reads the worlds that come with onesim, once, when it is built: then no start needs a parser and a validator for them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { WORLD_NAMES } from './config.ts';
import { readFromSource } from './worlds.ts';

const FOLDER = new URL('../dist/worlds/', import.meta.url);

await mkdir(FOLDER, { recursive: true });
for (const name of WORLD_NAMES) {
  const { world } = await readFromSource({ name });
  await writeFile(new URL(`${name}.json`, FOLDER), JSON.stringify(world));
}
