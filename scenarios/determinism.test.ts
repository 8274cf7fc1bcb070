/** The same seed and the same requests give the same trace, byte for byte: in another process, time zone and language. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { trace } from './trace.ts';

const run = promisify(execFile);

const elsewhere = async (env: Record<string, string>): Promise<string> => {
  const program = new URL('./trace.ts', import.meta.url).pathname;
  const { stdout } = await run(process.execPath, ['--import', 'tsx', program, '7'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
};

it('is the same in two processes with different TZ and LANG, and in this one', async () => {
  const [tokyo, honolulu, here] = await Promise.all([
    elsewhere({ TZ: 'Asia/Tokyo', LANG: 'ja_JP.UTF-8', LC_ALL: 'ja_JP.UTF-8' }),
    elsewhere({ TZ: 'Pacific/Honolulu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }),
    trace(7),
  ]);
  expect(tokyo.length).toBeGreaterThan(10_000);
  expect(honolulu).toBe(tokyo);
  expect(here).toBe(tokyo);
}, 60_000);

it('is another with another seed', async () => {
  expect(await trace(8)).not.toBe(await trace(7));
});
