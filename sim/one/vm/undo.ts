/** Operations that take several things one after the other, and hold either all of them or none. */

/** Runs a step; when it is refused, what was taken before is given back. */
export function undoing<T>(act: () => T, undo: () => void): T {
  try {
    return act();
  } catch (error) {
    undo();
    throw error;
  }
}
