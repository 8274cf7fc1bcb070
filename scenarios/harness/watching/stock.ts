/** A Gatekeeper's catalogue with more functions than its world has: lists of several pages. */
import type { SimulatorConfig } from '../../../sim/index.ts';

type Furnish = SimulatorConfig['furnish'];
type Furnishing = ReturnType<Furnish>;

/** Copies of the world's functions, each of a version of its own. */
export const stocked = (furnish: Furnish, count: number): Furnish =>
  count === 0
    ? furnish
    : (cloud) => {
        const furnished = furnish(cloud);
        return { ...furnished, functions: [...furnished.functions, ...copiesOf(furnished.functions, count)] };
      };

function copiesOf(functions: Furnishing['functions'], count: number): Furnishing['functions'] {
  return Array.from({ length: functions.length === 0 ? 0 : count }, (_, n) => {
    const original = functions[n % functions.length] as Furnishing['functions'][number];
    const digits = `${n}`.padStart(12, '0');
    const descriptor = { ...original.descriptor, version: `9.${n}` };
    return { ...original, uuid: `00000000-0000-4000-8000-${digits}`, descriptor };
  });
}
