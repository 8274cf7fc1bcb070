/** A stand-in that keeps its world in a file from one start to the next. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSim } from '../start.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onesim-state-'));
  file = join(folder, 'world.json');
});

afterEach(() => rm(folder, { recursive: true }));

const start = (state = file) => startSim({ port: 0, clock: 0, timing: { name: 'fast' }, state });

describe('a state file', () => {
  it('is written at the end, and gone on with at the next start', async () => {
    const first = await start();
    const { cloud } = first.simulator.world;
    const id = cloud.run(cloud.root, 'one.template.instantiate', 0, 'kept', false, '');
    await first.simulator.world.clock.advance(60_000);
    const before = first.simulator.snapshot();
    await first.close();
    expect(await readdir(folder)).toEqual(['world.json']);

    const second = await start();
    expect(second.simulator.snapshot()).toBe(before);
    expect(second.simulator.world.cloud.vms.get(id)).toMatchObject({ name: 'kept', state: 'RUNNING' });
    await second.close();
  });

  it('brings the seed and the pace of its world', async () => {
    const first = await startSim({ port: 0, clock: 60, seed: 7, state: file });
    await first.close();
    const second = await start();
    expect(second.simulator.world.config.seed).toBe(7);
    expect(second.simulator.world.pace.factor).toBe(60);
    await second.close();
  });

  it('is written without the requests that still wait, which are told so', async () => {
    const first = await start();
    const { cloud } = first.simulator.world;
    const wait = cloud.clock.sleep(60_000, 'resize of VM 0');
    const told = expect(wait).rejects.toThrow('its server stops');
    await first.close();
    await told;
    const second = await start();
    expect(second.simulator.world.clock.waiters).toEqual([]);
    await second.close();
  });

  it.each([
    ['damaged', (text: string) => text.replace('"oneadmin"', '"oneadmim"'), /the part "\w+" is not what was written/],
    ['cut short', (text: string) => text.slice(0, -100), /no JSON, or cut short/],
    [
      'of a newer onesim',
      (text: string) => text.replace('"version":2', '"version":9'),
      /its version is 9, and this one reads 2/,
    ],
    ['something else', () => '{}', /no snapshot of onesim/],
  ])('that is %s is refused with its name, and left as it is', async (_, damage, message) => {
    const first = await start();
    await first.close();
    const damaged = damage(await readFile(file, 'utf8'));
    await writeFile(file, damaged);
    const refusal = await start().catch((error: Error) => error.message);
    expect(refusal).toMatch(message);
    expect(refusal).toContain(file);
    expect(await readFile(file, 'utf8')).toBe(damaged);
  });

  it('cannot be a folder, or in one that is not there', async () => {
    await expect(start(folder)).rejects.toThrow(`${folder}: it is a folder (--state)`);
    await expect(start(join(folder, 'no', 'world.json'))).rejects.toThrow('nothing can be written in the folder');
  });
});
