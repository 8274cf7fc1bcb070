/** The level `concurrent`: what a server does to clients that are at it at the same time, and how it is told. */
import { expect, test, vi } from 'vitest';
import { type Between, type Ran, serverOf, verified } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

async function ran(between?: Between): Promise<Ran> {
  const server = await serverOf({ profile: 'contract' }, between);
  return verified(server, ['--level', 'concurrent', '--runs', '2', '--rate', '20', '--profile', 'contract']);
}

test('a server that answers as in some order is in order', async () => {
  const { code, out } = await ran();
  expect(code, out.join('\n')).toBe(0);
  expect(out.find((line) => line.includes('never judged'))).not.toMatch(/\b(B1|C1)\b/);
});

test('a server that shows what was before an acknowledged update is told with its lanes', async () => {
  const old = new Map<string, Response>();
  const { code, out } = await ran(async (request, door) => {
    const { pathname } = new URL(request.url);
    if (request.method === 'DELETE') old.delete(pathname);
    const known = request.method === 'GET' ? old.get(pathname) : undefined;
    if (known !== undefined) return known.clone();
    const answer = await door(request);
    const isRunning = request.method === 'GET' && (await answer.clone().text()).includes('RUNNING');
    if (isRunning) old.set(pathname, answer.clone());
    return answer;
  });
  const told = out.join('\n');
  expect(code, told).toBe(1);
  expect(told).toMatch(/✗ [BC]1: /);
  expect(told).toMatch(/lane \d: .*PUT 200/);
  expect(told).toMatch(/then not .* GET 20\d: /);
});
