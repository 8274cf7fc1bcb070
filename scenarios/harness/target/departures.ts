/**
 * Which of the known departures from the contract a server shows: the probe of each row is played, as far as the level
 * allows and the server can be brought into the state that it needs.
 */
import { type Contract, operationFor } from '../../../contracts/contract.ts';
import type { Deviation, ProbeStep } from '../../../contracts/deviations.ts';
import { playProbe, type Stage } from '../../../contracts/probe.ts';
import type { Judged } from '../junit.ts';
import type { Credentials } from '../request.ts';
import type { Scenario } from '../scenario.ts';
import { atLeast, type Level } from './levels.ts';
import { problemOf } from './wire.ts';

export interface Departure {
  readonly row: Deviation;
  /**
   * As the row says, as the contract says, in neither way, or not looked at. `expired`: the row must be looked at again,
   * whatever the server does.
   */
  readonly outcome: 'shown' | 'absent' | 'neither' | 'unobserved' | 'expired';
  readonly why: string;
}

interface Circumstances {
  readonly level: Level;
  readonly credentials: Credentials;
  readonly takesFaults: boolean;
  /** Whether all that lies below the server is a stand-in of our own, where nothing that is left behind costs anything. */
  readonly ownCloud: boolean;
  /** ISO date. */
  readonly today: string;
}

/** Whether a server of a version is known to do as a row says. */
export function applies({ since, until }: Deviation, version: string | undefined): boolean {
  if (version === undefined) return true;
  return compared(version, since) >= 0 && (until === undefined || compared(version, until) < 0);
}

function compared(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10)));
  for (const [n, part] of (right ?? []).entries()) {
    const difference = (left?.[n] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Why a row's probe is not played; undefined when it is. */
function hindrance(
  { probe }: Deviation,
  { level, credentials, takesFaults, ownCloud }: Circumstances,
): string | undefined {
  if (probe.timeout !== undefined) return `it needs a server with a time-out of ${probe.timeout}`;
  const asked = probe.steps.filter((step) => 'method' in step);
  if (asked.some(({ headers = {} }) => Object.values(headers).some((value) => value.endsWith(' ')))) {
    return 'it sends a blank that HTTP clients strip';
  }
  if (!ownCloud && asked.some(({ path }) => /^\/service(_template)?$/.test(path)))
    return 'it would leave a service behind';
  const leaks = asked.some((step) => step.path.startsWith('/_onesim/vms') || isSticking(step));
  if (!ownCloud && (leaks || isDeletingWhileResizing(asked))) return 'it would leave a virtual machine behind';
  if (asked.some(isFaulty)) {
    if (!takesFaults) return 'it needs a server that takes faults';
    if (!atLeast(level, 'lifecycle')) return 'it needs faults, level lifecycle';
  }
  if (!atLeast(level, 'crud') && asked.some(isChanging)) return 'it changes something, level crud';
  for (const role of ['owner', 'other', 'admin'] as const) {
    const needs = asked.some((step) => step.as === role || JSON.stringify(step).includes(`{${role}}`));
    if (needs && credentials[role] === undefined) return `it needs credentials of the role ${role}`;
  }
  return undefined;
}

type AskingStep = Extract<ProbeStep, { readonly method: string }>;

/** The real engine loses the machine of a runtime that is deleted then. */
const isDeletingWhileResizing = (asked: readonly AskingStep[]): boolean =>
  asked.some(({ meanwhile }) => meanwhile) && asked.some(({ method }) => method === 'DELETE');

const isSticking = ({ body }: AskingStep): boolean => JSON.stringify(body ?? null).includes('"do":"stick"');

const isFaulty = ({ path }: AskingStep): boolean => path.startsWith('/_onesim') || path === '/RPC2';

/** Opening a session is how one is let in. */
const isChanging = ({ method, path }: AskingStep): boolean => method !== 'GET' && !path.endsWith('/sessions');

/**
 * @param stage the server, for one probe after the other
 * @param tidied is called after each probe, to clear away what it has made
 */
export async function* departuresOf(
  rows: readonly Deviation[],
  circumstances: Circumstances,
  stage: Stage,
  tidied: () => Promise<void>,
): AsyncGenerator<Departure> {
  for (const row of rows) {
    const why = hindrance(row, circumstances);
    if (row.expires <= circumstances.today) yield { row, outcome: 'expired', why: `since ${row.expires}` };
    else if (why !== undefined) yield { row, outcome: 'unobserved', why };
    else yield { row, ...(await outcomeOf(row, stage, tidied)) };
  }
}

/** How often a probe is played that goes neither way to its end, since a server may not wait for it on the way there. */
const TRIES = 3;

async function outcomeOf(row: Deviation, stage: Stage, tidied: () => Promise<void>): Promise<Omit<Departure, 'row'>> {
  const played = async (side: 'on' | 'off'): Promise<string | undefined> => {
    try {
      return (await playProbe(row, side, stage))[0];
    } finally {
      await tidied();
    }
  };
  try {
    for (let tries = 1; ; tries++) {
      const unlikeUpstream = await played('on');
      if (unlikeUpstream === undefined) return { outcome: 'shown', why: '' };
      const unlikeContract = await played('off');
      const came = isTelling(row, unlikeUpstream);
      if (unlikeContract === undefined && came) return { outcome: 'absent', why: unlikeUpstream };
      // Both ways lead through the same steps: a server that lets one of them pass and not the other was too fast, or slow.
      const isSame = unlikeContract !== undefined && came === isTelling(row, unlikeContract);
      if (!isSame && tries < TRIES) continue;
      if (unlikeContract !== undefined && (came || isTelling(row, unlikeContract))) {
        return { outcome: 'neither', why: `${short(unlikeContract)}; or ${short(unlikeUpstream)}` };
      }
      return {
        outcome: 'unobserved',
        why: `it could not be brought there: ${short(unlikeContract ?? unlikeUpstream)}`,
      };
    }
  } catch (error) {
    return { outcome: 'unobserved', why: `no answer came: ${problemOf(error)}` };
  }
}

const short = (text: string): string => (text.length > 250 ? `${text.slice(0, 250)}…` : text);

/** Whether a flaw is one of a step that tells the row from the contract, and not of one that only leads there. */
function isTelling({ probe }: Deviation, flaw: string): boolean {
  const step = probe.steps[Number(/^step (\d+),/.exec(flaw)?.[1]) - 1];
  return step !== undefined && 'otherwise' in step;
}

/**
 * The status that upstream would have given, where rows that are absent change nothing but the status: what another
 * row's probe takes for granted.
 */
export function statusUpstream(
  contract: Contract,
  departures: readonly Departure[],
  method: string,
  path: string,
  status: number,
): number {
  const operation = operationFor([contract], method, path)?.operation.id ?? '';
  const absent = departures.filter(({ outcome, row }) => outcome === 'absent' && row.operations.includes(operation));
  const accepted = absent.flatMap(({ row }) => row.effect.accepts);
  return accepted.find((each) => 'like' in each && each.like === status)?.status ?? status;
}

/** `contract` when of all that was looked at nothing departs, else `upstream`. */
export function profileOf(departures: readonly Departure[]): NonNullable<Scenario['profile']> {
  const shown = departures.some(({ outcome }) => outcome === 'shown');
  const absent = departures.some(({ outcome }) => outcome === 'absent');
  return absent && !shown ? 'contract' : 'upstream';
}

/** What is wrong with a departure, in a profile; undefined when nothing is. */
export function verdictOf({ outcome, why }: Departure, profile: 'upstream' | 'contract'): string | undefined {
  switch (outcome) {
    case 'shown':
      return profile === 'contract' ? 'shown, where the contract must be kept' : undefined;
    case 'absent':
      return profile === 'upstream' ? 'stale: the server keeps the contract here' : undefined;
    case 'neither':
      return `neither as the contract says nor as the row does: ${why}`;
    case 'expired':
      return profile === 'upstream' ? `stale: the row has to be looked at again ${why}` : undefined;
    case 'unobserved':
      return undefined;
    default:
      return outcome satisfies never;
  }
}

/** As a suite of its own beside those of the laws: a case for each row, broken where it is stale or unknown. */
export function judgedDepartures(
  api: string,
  departures: readonly Departure[],
  profile: 'upstream' | 'contract',
): Judged {
  const looked = departures.filter(({ outcome }) => outcome !== 'unobserved');
  const wrong = departures.flatMap((each) => {
    const said = verdictOf(each, profile);
    return said === undefined ? [] : [{ ...each, said }];
  });
  return {
    name: `${api}: known departures`,
    by: departures.map(({ row }) => ({ id: row.id, sentence: row.upstream })),
    verdict: {
      checks: new Map(looked.map(({ row }) => [row.id, 1])),
      violations: wrong.map(({ row, said }) => ({
        ...{ law: row.id, at: 0, subject: row.operations.join(', ') },
        ...{ expected: profile === 'upstream' ? row.upstream : row.contract, seen: said },
      })),
    },
    reports: new Map(wrong.map(({ row, said, why }) => [row.id, [`✗ ${row.id}: ${said}`, why]])),
  };
}
