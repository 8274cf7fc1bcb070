/**
 * Where the files are that come with onesim. This one is as deep in the sources as in the built form, so that its paths
 * hold in both.
 */
const PACKAGE = new URL('../', import.meta.url);

/** @param path from the top of the package */
export const packageFile = (path: string): URL => new URL(path, PACKAGE);

/** Beside the built form, and only there: worlds as they were read when it was built, which saves a start the reading. */
export const READ_WORLDS = new URL('./worlds/', import.meta.url);
