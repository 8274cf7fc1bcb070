/** The machine and the person that the command line works for: all that it reads, prints and waits for, so that tests can stand in for it. */
export interface Machine {
  readonly pid: number;
  /** The home directory. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether somebody is watching the output. */
  readonly isTerminal: boolean;
  /** @throws what the file system says */
  readFile(path: string): Promise<string>;
  /** @throws what the file system says */
  writeFile(path: string, text: string): Promise<void>;
  fetch(url: string, request: RequestInit): Promise<Response>;
  out(line: string): void;
  err(line: string): void;
  /** Resolves when the process is asked to end. */
  stopped(): Promise<void>;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EROFS: 'nothing can be written there',
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no such host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
};

/** Why the machine could not do something, in words. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return REASONS['code' in error ? String(error.code) : ''] ?? error.message;
}
