/** Why something may never be seen in generated runs: what has no reason here, and is not seen, is a gap in the generator. */
import { ASPECT_NAMES, ASPECTS, type Aspect, type Coverage } from './coverage.ts';

interface Reason {
  readonly aspect: readonly Aspect[];
  readonly what: RegExp;
  readonly why: string;
  /** The profile in which it has to be seen: where that was run, this is no reason. */
  readonly shownBy?: 'upstream' | 'contract';
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
    aspect: ['fault'],
    what: /^oneflow cooldown-stuck$/,
    why: 'concerns the scaling of a role, which the engine never asks for; scenarios/faults has a test of it',
  },
  {
    aspect: ['answer'],
    what: /^(deleteRuntime 423|updateRuntime 504)$/,
    why: 'is the contract’s; delete-never-423 and put-504-as-500 take its place upstream',
    shownBy: 'contract',
  },
  {
    aspect: ['answer'],
    what: /^createRuntime 504$/,
    why: 'needs a template whose roles are deployed one after the other; the probe of post-504-leaves-service makes one',
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
    shownBy: 'contract',
  },
  {
    aspect: ['fault'],
    what: /^websocket stalled-pong$/,
    why: 'needs a client that pings, and those in this process have no socket; sim/api/gatekeeper has a test of it',
  },
  {
    aspect: ['answer'],
    what: /^(?!\w*(Runtime|Schema|Version|Configuration) )\w+ 429$/,
    why: 'needs the Gatekeeper’s rate limits, which are off in the worlds of scenarios; its tests have them on',
  },
  {
    aspect: ['answer'],
    what: /^(?!\w*(Runtime|Schema|Version|Configuration) )\w+ 500$|^(list\w+|getPublicKey) 404$/,
    why: 'is what is told when a service behind the Gatekeeper fails, and the simulated ones do not; a fault may say the same',
  },
  {
    aspect: ['answer'],
    what: /^(getFunction|getService|getPackage|a?synch\w+) 403$/,
    why: 'needs a private descriptor, of which the worlds of scenarios have none; upstream a dead token is told so at the monitoring',
  },
  {
    aspect: ['answer'],
    what: /^((upload|delete|download)Package|(list|create|get)Requests?|stopServiceInstance|(list|create|get)Licences?|(list|register|update|get)User\w*|putKpi) \d+$/,
    why: 'is of the making and changing of packages, instances, licences and users, which no step does; sim/api/gatekeeper has tests of it',
  },
  {
    aspect: ['answer'],
    what: /^(findSeries\w*|listLabel\w+) 422$/,
    why: 'needs a query that takes too long, and thousands of machines for it',
  },
  {
    aspect: ['deviation'],
    what: /^(form-body-html|id-lenient|password-cut-at-colon|short-timeout-zero|unknown-path-html|basic-without-credentials-500)$/,
    why: 'needs a request that is malformed beyond what the generator makes; its probe makes it',
  },
  {
    aspect: ['deviation'],
    what: /^(get-writes|rename-|put-writes-|delete-leaks-vm|delete-never-423|daas-copy-of-faas|capacity-run-together|post-504-leaves-service|put-error-owner-not-recovered|short-|body-without-runtime-500|synch-range-optional|limit-uncapped|parameters-before-token|last-stream-only|memory-free-in-kb|stream-)/,
    why: 'is a matter of what an answer does, not of its form: the laws take it into account, and its probe shows it',
  },
  { aspect: ['deviation'], what: /./, why: 'is upstream’s; profile contract has none', shownBy: 'upstream' },
];

export const reasonFor = (aspect: Aspect, what: string, { profiles }: Pick<Coverage, 'profiles'>): string | undefined =>
  REASONS.find(
    ({ aspect: of, what: which, shownBy }) =>
      of.includes(aspect) && which.test(what) && (shownBy === undefined || !profiles.has(shownBy)),
  )?.why;

/** The documents whose operations generated scenarios ask. */
const ASKED_APIS = ['engine.yaml', 'gatekeeper.yaml', 'monitoring.yaml', 'prometheus.yaml'];

interface Sight {
  readonly aspect: Aspect;
  readonly all: readonly string[];
  readonly missing: readonly string[];
  /** Those of the missing ones that have no reason to be. */
  readonly open: readonly string[];
}

export function sightsOf(coverage: Coverage): Sight[] {
  return ASPECT_NAMES.map((aspect) => {
    const all = coverage.universe(aspect, ASKED_APIS);
    const missing = all.filter((what) => coverage.count(aspect, what) === 0);
    return { aspect, all, missing, open: missing.filter((what) => reasonFor(aspect, what, coverage) === undefined) };
  });
}

/** What a person at a terminal is told of it. @param most so many of each that was never seen are named */
export function sightLines(coverage: Coverage, most = Number.POSITIVE_INFINITY): string[] {
  return sightsOf(coverage).flatMap(({ aspect, all, missing, open }) => {
    const excused = missing.length - open.length;
    const why = excused > 0 ? `, ${excused} out of reach for a reason` : '';
    const head = `  seen ${all.length - missing.length} of ${all.length} ${ASPECTS[aspect]}${why}`;
    if (open.length === 0) return [head];
    const more = open.length > most ? `, and ${open.length - most} more` : '';
    return [head, `    never seen: ${open.slice(0, most).join(', ')}${more}`];
  });
}
