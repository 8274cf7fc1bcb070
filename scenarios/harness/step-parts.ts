/** What the steps of a scenario have in common: their names, what they are told from, and who asks what for whom. */
import { form } from '../../sim/index.ts';

const { anything, map, object, oneOrMore, text, whole, word } = form;

/** Ten years: more is a slip of the pen, and would never be over. */
const LONGEST_MS = 10 * 365 * 86_400_000;
const upToTenYears = whole(0, LONGEST_MS);

/** How long something lasts, in milliseconds of the scenario's time. */
export const duration: form.Form<number> = {
  schema: { ...upToTenYears.schema, description: 'milliseconds, ten years at most' },
  check: (value, path) =>
    upToTenYears
      .check(value, path)
      .map((flaw) => ({ ...flaw, problem: `"${path.at(-1)}" is in milliseconds, ten years at most: ${flaw.problem}` })),
};

export const name = text({ pattern: '^[A-Za-z][A-Za-z0-9_-]*$', meaning: 'a name of letters, digits, - and _' });

/** What an event may be called behind the name of its step or fault. */
export const STEP_EVENTS = ['sent', 'answered', 'PENDING', 'RUNNING', 'UPDATING', 'ERROR'] as const;
export const FAULT_EVENTS = ['began', 'ended'] as const;

export const after = object(
  {
    event: text({
      pattern: `^(start|[A-Za-z][A-Za-z0-9_-]*\\.(${[...STEP_EVENTS, ...FAULT_EVENTS].join('|')}))$`,
      meaning: 'an event such as start, s1.answered, s1.RUNNING or f1.began',
    }),
  },
  { delayMs: duration },
);

const expectation = object(
  {},
  {
    status: oneOrMore(whole(100, 599)),
    body: map(anything, text({ pattern: '^(/|$)', meaning: 'a JSON pointer such as /SERVERLESS_RUNTIME/NAME' })),
    headers: map(text()),
  },
);

/** Who sends a request, and with which credentials. */
const AUTH = ['good', 'none', 'wrong', 'scheme'] as const;

export const common = {
  /** Requests of one client follow one another. */
  client: whole(0, 15),
  as: word('owner', 'other', 'admin'),
  auth: word(...AUTH),
  after,
  expect: expectation,
};

export type Auth = (typeof AUTH)[number];

/** A runtime by the name that a step has bound, or its service; or an id that nobody has. */
export const ref = text({
  pattern: '^([A-Za-z][A-Za-z0-9_-]*(\\.service)?|none)$',
  meaning: 'the name that a step has bound, such as r1, or r1.service, or none',
});

/** What a step has made, by the name that it has bound: a runtime or a stream. */
export const made = text({
  pattern: '^[A-Za-z][A-Za-z0-9_-]*$',
  meaning: 'the name that a step has bound, such as r1',
});

/** A runtime, or the host that its virtual machine is on. */
export const struck = text({
  pattern: '^[A-Za-z][A-Za-z0-9_-]*(\\.host)?$',
  meaning: 'the name that a step has bound, such as r1, or r1.host',
});

/** The name that is bound to what a reference means, or to what that is of. */
export const boundName = (reference: string): string => reference.replace(/\..*$/, '');
