/** The door to the streams of a stand-in in this process: connections without a socket. */
import type { Simulator } from '../../../sim/index.ts';

/** What hears what comes over a stream. */
export interface Ear {
  frame(text: string): void;
  /** What is no frame. */
  garbage(): void;
  closed(code: number | null): void;
}

/** What a client does with a stream. */
export interface Call {
  send(text: string): void;
  /** Hangs up, until both sides know. */
  close(): Promise<void>;
}

type Server = Exclude<ReturnType<Simulator['connect']>, number>;

interface StreamDoor {
  /** @param address such as `ws://127.0.0.1:1337/ws/0123…` @returns the HTTP status of a refusal */
  connect(address: string, ear: Ear): Promise<Call | number>;
  isAnyOpen(): boolean;
}

export function streamsOf(simulator: Simulator): StreamDoor {
  const open = new Set<Ear>();
  return {
    async connect(address, ear) {
      /** Nothing leaves a server that has closed; what it sends to a client who has left is its mistake, and is heard. */
      let hasClosed = false;
      let server: Server | undefined;
      open.add(ear);
      const answer = simulator.connect(new URL(address).pathname, {
        send(text) {
          if (!hasClosed) ear.frame(text);
        },
        garble() {
          if (!hasClosed) ear.garbage();
        },
        close(code) {
          hasClosed = true;
          if (!open.delete(ear)) return;
          ear.closed(code ?? null);
          server?.closed();
        },
        unread: () => 0,
      });
      if (typeof answer === 'number') {
        open.delete(ear);
        return answer;
      }
      server = answer;
      if (hasClosed) server.closed();
      return {
        send: () => server?.receive(),
        async close() {
          if (open.delete(ear)) server?.closed();
        },
      };
    },
    isAnyOpen: () => open.size > 0,
  };
}
