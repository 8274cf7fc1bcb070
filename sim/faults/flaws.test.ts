/** The events that a fault may wait for are those that there are. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENTS, OTHER_EVENTS } from './judge.ts';

const SOURCES = new URL('../', import.meta.url);

it('every kind of entry that is written has a name to wait for, and no other has', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const written = files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(new URL(file, SOURCES), 'utf8').matchAll(/journal\.append\(([^`,]*),/g)])
    .flatMap(([, kind = '']) => [...kind.matchAll(/'([a-z.]+)'/g)].map(([, name]) => name));
  expect([...new Set(written)].sort()).toEqual([...Object.keys(EVENTS), ...OTHER_EVENTS].sort());
});
