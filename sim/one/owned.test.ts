import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cloud } from './cloud.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from './testing.ts';

const list = (cloud: Cloud, session: string, filter: number, start = -1, end = -1): number[] =>
  cloud.call(session, 'one.documentpool.info', filter, start, end, 1).map(({ id }) => id);

/** Ten documents: even ones of tester, odd ones of other, of whom 1 and 5 may be used by the group, 3 by all. */
function library(): Cloud {
  const cloud = freshCloud();
  for (let id = 0; id < 10; id++) cloud.call(id % 2 ? OTHER : TESTER, 'one.document.allocate', '', 1);
  for (const id of [1, 5]) cloud.documents.get(id).permissions = 0o640;
  cloud.documents.get(3).permissions = 0o604;
  return cloud;
}

describe('a listing', () => {
  test('is filtered', () => {
    const cloud = library();
    expect(list(cloud, TESTER, -3)).toEqual([8, 6, 4, 2, 0]);
    expect(list(cloud, TESTER, -2)).toEqual([8, 6, 5, 4, 3, 2, 1, 0]);
    expect(list(cloud, TESTER, -1)).toEqual([8, 6, 5, 4, 3, 2, 1, 0]);
    expect(list(cloud, TESTER, -4)).toEqual([8, 6, 5, 4, 3, 2, 1, 0]);
    expect(list(cloud, TESTER, 3)).toEqual([5, 3, 1]);
    expect(list(cloud, TESTER, 2)).toEqual([8, 6, 4, 2, 0]);
    expect(list(cloud, ADMIN_SESSION, -2)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(list(cloud, ADMIN_SESSION, -4)).toEqual([]);
    expect(list(cloud, ADMIN_SESSION, 3)).toEqual([9, 7, 5, 3, 1]);
  });

  test('shows what a rule lets one use, and what one owns without any right', () => {
    const cloud = library();
    cloud.acl.addText('#2 DOCUMENT/#9 USE #0');
    cloud.documents.get(0).permissions = 0;
    expect(list(cloud, TESTER, -2)).toEqual([9, 8, 6, 5, 4, 3, 2, 1, 0]);
  });

  test('is not shortened by locks', () => {
    const cloud = library();
    cloud.call(TESTER, 'one.document.lock', 8, 1);
    expect(list(cloud, TESTER, -3)).toEqual([8, 6, 4, 2, 0]);
  });

  test('is a range of ids, or a page', () => {
    const cloud = library();
    expect(list(cloud, ADMIN_SESSION, -2, 0, 2)).toEqual([2, 1, 0]);
    expect(list(cloud, ADMIN_SESSION, -2, 7, -1)).toEqual([9, 8, 7]);
    expect(list(cloud, ADMIN_SESSION, -2, -1, 3)).toHaveLength(10);
    expect(list(cloud, ADMIN_SESSION, -2, 8, 100)).toEqual([9, 8]);
    expect(list(cloud, ADMIN_SESSION, -2, 1, -2)).toEqual([8, 7]);
    expect(list(cloud, ADMIN_SESSION, -2, 0, -2000)).toHaveLength(10);
    expect(list(cloud, TESTER, -3, 4, -2)).toEqual([0]);
    expect(list(cloud, ADMIN_SESSION, -2, 20, -5)).toEqual([]);
  });

  test('of an unknown filter is refused', () => {
    const cloud = freshCloud();
    expect(refusalOf(() => list(cloud, TESTER, -9))).toBe('XML_RPC_API [one.documentpool.info] Incorrect filter_flag');
  });

  test('comes in pages that make up the whole', () => {
    const cloud = library();
    for (const id of [2, 7]) cloud.documents.delete(id);
    fc.assert(
      fc.property(fc.constantFrom(-1, -2, -3, -4, 2, 3), fc.integer({ min: 2, max: 6 }), (filter, size) => {
        const pages: number[] = [];
        for (let start = 0; start < 12; start += size) pages.push(...list(cloud, TESTER, filter, start, -size));
        expect(pages).toEqual(list(cloud, TESTER, filter));
        expect(pages).toEqual([...pages].sort((a, b) => b - a));
      }),
      { seed: 1 },
    );
  });
});
