/**
 * The trace of a run: one line of JSON for everything that a client, and in process the journal, has seen. Laws read
 * nothing else, so the same law judges a stand-in, a real server and a recording. Times are milliseconds since the start.
 */
import type { Entry, State } from '../../sim/index.ts';
import type { Scenario } from './scenario.ts';
import type { Auth } from './step-parts.ts';

export interface RunLine {
  readonly kind: 'run';
  readonly v: 1;
  readonly transport: 'in process' | 'http';
  readonly target: string;
  /** Departures from the contract that are expected. */
  readonly deviations: readonly string[];
  /** Milliseconds since the Unix epoch, where the run began; 0 where the clock is not ours. */
  readonly epochMs: number;
  readonly scenario: Scenario;
  /** How long a state may last, where time is not ours. */
  readonly bounds?: Bounds;
}

/** Past it a state is slow, past three times it nobody needs to wait any longer. */
export interface Bounds {
  readonly pendingMs: number;
  readonly updatingMs: number;
}

export type Role = 'owner' | 'other' | 'admin';

export interface ExchangeLine {
  readonly kind: 'exchange';
  readonly seq: number;
  readonly sent: number;
  readonly at: number;
  /** The step that it belongs to; what the harness asks for itself has none. */
  readonly step: string | null;
  readonly op: string;
  readonly as: Role;
  readonly auth: Auth;
  /** As the step says. */
  readonly ref: string | null;
  /** The id that it asked for. */
  readonly id: number | null;
  /** In process: the journal's number of the request, and how far the journal had come at the answer. */
  readonly entry: number | null;
  readonly until: number | null;
  readonly request: { readonly method: string; readonly path: string; readonly body: string | null };
  /** `null` when none came. */
  readonly response: Answer | null;
  readonly problem: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Stands for credentials that a server has put into an answer: they are in no trace. */
export const REDACTED = '[credentials]';

/** An entry of the journal. */
interface EventLine {
  readonly kind: 'event';
  readonly at: number;
  readonly entry: Entry;
}

export interface FaultLine {
  readonly kind: 'fault';
  readonly at: number;
  readonly fault: string;
  readonly phase: 'began' | 'ended';
  readonly vm: number | null;
}

/** Why a step was left out that somebody did not want to wait for. */
export const ENDED = 'the run was ended early';

interface SkipLine {
  readonly kind: 'skip';
  readonly at: number;
  /** A step or a fault. */
  readonly id: string;
  readonly why: string;
}

/** All that there is, as nobody but the stand-in itself can say. */
export interface Census {
  readonly runtimes: readonly number[];
  readonly services: readonly number[];
  readonly vms: readonly {
    readonly id: number;
    readonly owner: number;
    readonly state: State;
    /** Hosts that count it as theirs. */
    readonly hosts: readonly number[];
    readonly cpu: number;
    readonly vcpu: number | null;
    readonly memoryMiB: number;
    /** Of its first disk. */
    readonly diskMiB: number;
    /** Of its first NIC: EXTERNAL_IP, IP6 or IP, the first that it has; empty where it has none. */
    readonly address: string;
    /** Whether a driver is changing it: then what it has and what it is to have are two things. */
    readonly changing: boolean;
  }[];
  /** What is booked on each user that has quotas. */
  readonly quotas: readonly {
    readonly user: number;
    readonly vms: number;
    readonly cpu: number;
    readonly memoryMiB: number;
  }[];
  readonly hosts: readonly {
    readonly id: number;
    readonly state: string;
    readonly cpu: number;
    readonly memoryMiB: number;
    /** What its VMs have taken at most since the last census, whenever the journal had something new of a VM. */
    readonly most: { readonly cpu: number; readonly memoryMiB: number };
  }[];
}

export interface CensusLine {
  readonly kind: 'census';
  readonly at: number;
  /** How far the journal had come. */
  readonly until: number;
  readonly census: Census;
}

/** Nothing that was armed is armed any more, and what had failed has been tried again. */
export interface HealLine {
  readonly kind: 'healed';
  readonly at: number;
}

/** What passed over a stream. */
export interface StreamLine {
  readonly kind: 'stream';
  readonly at: number;
  /** The step that asked for the connection. */
  readonly step: string;
  /** The id of the stream. */
  readonly stream: string;
  /** The client asks, sends and leaves; the server refuses, sends frames, or what is none, and closes. */
  readonly event: 'asked' | 'sent' | 'left' | 'refused' | 'frame' | 'garbage' | 'closed';
  /** Of a frame, and of what the client sends. */
  readonly text: string | null;
  /** HTTP status of a refusal, or with which code the server closes. */
  readonly code: number | null;
}

export type Line = ExchangeLine | EventLine | FaultLine | SkipLine | CensusLine | HealLine | StreamLine;

export interface Trace {
  readonly run: RunLine;
  readonly lines: readonly Line[];
}

export const writeTrace = ({ run, lines }: Trace): string =>
  [run, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');

export function readTrace(text: string): Trace {
  const [run, ...lines] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { run, lines };
}
