/** What is there already or will be: most answers need no simulated time, and then they are to wait for nothing else either. */
export type Soon<T> = T | Promise<T>;

/** Goes on at once, or when the value is there. */
export const whenThere = <T, U>(soon: Soon<T>, next: (value: T) => Soon<U>): Soon<U> =>
  soon instanceof Promise ? soon.then(next) : next(soon);

/** What an attempt gives, or what is made of its failure. */
export function attempt<T>(act: () => Soon<T>, failed: (error: unknown) => T): Soon<T> {
  try {
    const soon = act();
    return soon instanceof Promise ? soon.catch(failed) : soon;
  } catch (error) {
    return failed(error);
  }
}
