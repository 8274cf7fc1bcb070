/** A connection that never leaves this process, seen from the client's end: what tests connect to a server without a port. */
import type { Server } from 'node:http';
import { Duplex } from 'node:stream';

/** Matches no text. */
const NEVER = /(?!)/;

export class Wire extends Duplex {
  #received = '';
  #watchers: (() => void)[] = [];
  readonly #reads: boolean;

  /** @param reads whether the client reads at all */
  constructor(server: Server, reads = true) {
    super();
    this.#reads = reads;
    // Whatever breaks, 'close' follows.
    this.on('error', () => {});
    this.once('close', () => this.#look());
    server.emit('connection', this);
  }

  /** All that has come from the server. */
  get received(): string {
    return this.#received;
  }

  /** The client writes. */
  send(bytes: string | Uint8Array): this {
    this.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Resolves with all that has come when there is enough of it, or the connection is closed. */
  async until(enough: RegExp): Promise<string> {
    while (!enough.test(this.#received) && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#watchers.push(resolve);
      });
    }
    return this.#received;
  }

  /** Resolves with all that has come when the server has closed the connection. */
  closing(): Promise<string> {
    return this.until(NEVER);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.#reads) return;
    this.#received += chunk.toString('latin1');
    done();
    this.#look();
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  #look(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}
