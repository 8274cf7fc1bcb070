/** A list with one more item, and without the room for others that pushing leaves: a large cloud has several short lists for each VM. */
export const appended = <T>(list: readonly T[], item: T): T[] => list.toSpliced(list.length, 0, item);
