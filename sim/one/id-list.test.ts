/** Ids walked from the highest down, whatever was deleted in between. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdList } from './id-list.ts';

it('walks what is left, the highest first', () => {
  const step = fc.record({ add: fc.boolean(), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(250), (steps, highest) => {
      const list = new IdList();
      let model: number[] = [];
      let next = 0;
      for (const { add, pick } of steps) {
        if (add || model.length === 0) {
          next += 1 + (pick % 3);
          list.add(next);
          model.push(next);
        } else {
          const id = model[pick % model.length] as number;
          expect(list.delete(id)).toBe(true);
          expect(list.delete(id)).toBe(false);
          model = model.filter((each) => each !== id);
        }
        expect(list.size).toBe(model.length);
      }
      expect([...list.down()]).toEqual([...model].reverse());
      expect([...list.down(highest)]).toEqual([...model].reverse().filter((id) => id <= highest));
    }),
    { seed: 1 },
  );
});
