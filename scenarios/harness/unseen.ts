/** Why something may never be seen in generated runs: what has no reason here, and is not seen, is a gap in the generator. */
import { ASPECTS, type Aspect, type Coverage } from './coverage.ts';

interface Reason {
  readonly aspect: readonly Aspect[];
  readonly what: RegExp;
  readonly why: string;
}

const LIFE: readonly Aspect[] = ['state', 'edge'];

const REASONS: readonly Reason[] = [
  {
    aspect: LIFE,
    what: /SNAPSHOT|SAVEAS|BACKUP|RESTORE|HOTPLUG_NIC|HOTPLUG_PROLOG|HOTPLUG_EPILOG|CLONING|HOTPLUG$|HOTPLUG |DISK_RESIZE_|MIGRATE/,
    why: 'is asked of OpenNebula itself; no request of the engine’s API leads there, and the harness’s operator has no such action',
  },
  {
    aspect: ['edge'],
    what: /→ CLEANUP_(DELETE|RESUBMIT)$/,
    why: 'is a recovery by deletion, which only an administrator of OpenNebula asks for; the engine does in the states of failure',
  },
  {
    aspect: ['edge'],
    what: /^(RUNNING|UNKNOWN) → POWEROFF$/,
    why: 'is a guest that powers itself off, which nobody can ask of a simulated one',
  },
  {
    aspect: ['edge'],
    what: /^(HOLD|STOPPED|UNDEPLOYED) → PROLOG|^INIT → HOLD$/,
    why: 'is a deployment by hand, or one that was asked for on hold, which the engine never asks for',
  },
  {
    aspect: ['edge'],
    what: /^SHUTDOWN → SHUTDOWN$/,
    why: 'is a second termination, and the harness ends no VM by hand',
  },
  {
    aspect: ['fault'],
    what: /^oneflow cooldown-stuck$/,
    why: 'concerns the scaling of a role, which the engine never asks for; scenarios/faults has a test of it',
  },
  {
    aspect: ['answer'],
    what: /^(deleteRuntime 423|updateRuntime 504)$/,
    why: 'is the contract’s; delete-never-423 and put-504-as-500 take its place upstream',
  },
  {
    aspect: ['answer'],
    what: /^createRuntime 504$/,
    why: 'needs a template whose roles are deployed one after the other; the probe of post-504-leaves-service makes one',
  },
  {
    aspect: ['answer'],
    what: /^readRuntime 500$/,
    why: 'needs a runtime whose VM is gone and not its service, which the harness makes by no means that it has',
  },
  { aspect: LIFE, what: /CLEANUP_RESUBMIT/, why: 'is a recovery that only an administrator of OpenNebula asks for' },
  {
    aspect: ['edge'],
    what: /^\w+_FAILURE → (BOOT|BOOT_\w+|DONE|RUNNING|STOPPED|UNDEPLOYED)$/,
    why: 'is a recovery as a success, which the harness asks for in UPDATING only',
  },
  {
    aspect: ['edge'],
    what: /^(SUSPENDED|POWEROFF|STOPPED|UNDEPLOYED|HOLD|INIT) → (EPILOG|DONE)$/,
    why: 'is the end of a VM at rest: the engine deletes its service by way of OneFlow, and the harness ends no VM by hand',
  },
  { aspect: ['answer'], what: / 413$/, why: 'needs a body of more than 4 MiB, which no scenario file should hold' },
  {
    aspect: ['answer'],
    what: /^readRuntime 201$/,
    why: 'is the contract’s; the deviation get-200 takes its place upstream',
  },
  {
    aspect: ['fault'],
    what: /^(metrics|websocket) /,
    why: 'concerns the monitoring, of which no generated command asks anything; scenarios/faults has a test of each',
  },
  {
    aspect: ['deviation'],
    what: /^(form-body-html|id-lenient|password-cut-at-colon|short-timeout-zero|unknown-path-html|crash-html|basic-without-credentials-500)$/,
    why: 'needs a request that is malformed beyond what the generator makes; its probe makes it',
  },
  {
    aspect: ['deviation'],
    what: /^(get-writes|rename-|delete-leaks-vm|delete-never-423|daas-copy-of-faas|capacity-run-together|post-504-leaves-service|put-error-owner-not-recovered|short-|body-without-runtime-500)/,
    why: 'is a matter of what an answer does, not of its form: the laws take it into account, and its probe shows it',
  },
];

export const reasonFor = (aspect: Aspect, what: string): string | undefined =>
  REASONS.find((each) => each.aspect.includes(aspect) && each.what.test(what))?.why;

/** The documents whose operations generated scenarios ask. */
const ASKED_APIS = ['engine.yaml'];

interface Sight {
  readonly aspect: Aspect;
  readonly all: readonly string[];
  readonly missing: readonly string[];
  /** Those of the missing ones that have no reason to be. */
  readonly open: readonly string[];
}

export function sightsOf(coverage: Coverage): Sight[] {
  return (Object.keys(ASPECTS) as Aspect[]).map((aspect) => {
    const all = coverage.universe(aspect, ASKED_APIS);
    const missing = all.filter((what) => coverage.count(aspect, what) === 0);
    return { aspect, all, missing, open: missing.filter((what) => reasonFor(aspect, what) === undefined) };
  });
}

/** What a person at a terminal is told of it. */
export function sightLines(coverage: Coverage): string[] {
  return sightsOf(coverage).flatMap(({ aspect, all, missing, open }) => {
    const excused = missing.length - open.length;
    const why = excused > 0 ? `, ${excused} out of reach for a reason` : '';
    const head = `  seen ${all.length - missing.length} of ${all.length} ${ASPECTS[aspect]}${why}`;
    return open.length === 0 ? [head] : [head, `    never seen: ${open.join(', ')}`];
  });
}
