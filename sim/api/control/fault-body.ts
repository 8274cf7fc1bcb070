/** A fault as a client writes it: every key known, every value of its kind, and an error that names what is not. */
import type { Effect, FaultSpec, Selector, Trigger } from '../../faults/fault.ts';
import { suggestion } from '../../kernel/nearest.ts';
import { STEPS } from '../../one/vm/lifecycle.ts';
import { BadRequest, object } from './request.ts';

type Check = (value: unknown, where: string) => void;

const text: Check = (value, where) => {
  if (typeof value !== 'string') throw new BadRequest(`${where} must be a text`);
};
const integer =
  (least: number): Check =>
  (value, where) => {
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      throw new BadRequest(`${where} must be a whole number of at least ${least}`);
    }
  };
/** A fault that never comes is a mistake. */
const probability: Check = (value, where) => {
  if (typeof value !== 'number' || !(value > 0 && value <= 1)) {
    throw new BadRequest(`${where} must be a number above 0, at most 1`);
  }
};
const YEAR_MS = 365 * 86_400_000;
const milliseconds: Check = (value, where) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= YEAR_MS)) {
    throw new BadRequest(`${where} must be a number between 0 and ${YEAR_MS}`);
  }
};
const oneOf =
  (words: readonly string[]): Check =>
  (value, where) => {
    if (typeof value === 'string' && words.includes(value)) return;
    throw new BadRequest(`${where} must be one of ${words.join(', ')}${suggestion(String(value), words)}`);
  };

const ACTIONS = [...new Set(Object.values(STEPS).map((step) => step.action))];
/** An action that no driver has can match nothing, unless it is a pattern. */
const action: Check = (value, where) => {
  text(value, where);
  if (!(value as string).includes('*')) oneOf(ACTIONS)(value, where);
};

const SELECTOR: Readonly<Record<string, Check>> = {
  layer: oneOf(['vm']),
  action,
  vm: integer(0),
  name: text,
  host: text,
  user: text,
};
const TRIGGER: Readonly<Record<string, Check>> = {
  skip: integer(0),
  times: integer(1),
  probability,
};
const EFFECTS: Readonly<Record<Effect['do'], Readonly<Record<string, Check>>>> = {
  fail: { message: text },
  delay: { ms: milliseconds },
  stick: {},
};

/** @throws BadRequest that names the part */
export function parseFault(body: unknown): FaultSpec {
  const fault = object(body, 'The fault', ['selector', 'trigger', 'effect'], ['selector', 'effect']);
  const selector = checked(fault.selector, 'selector', SELECTOR, ['layer']);
  const trigger = fault.trigger === undefined ? undefined : checked(fault.trigger, 'trigger', TRIGGER, []);
  const kind = object(fault.effect, 'effect', undefined, ['do']).do;
  oneOf(Object.keys(EFFECTS))(kind, 'effect.do');
  const parts = EFFECTS[kind as Effect['do']];
  const effect = checked(fault.effect, 'effect', { do: text, ...parts }, kind === 'delay' ? ['do', 'ms'] : ['do']);
  return {
    selector: selector as unknown as Selector,
    ...(trigger === undefined ? {} : { trigger: trigger as Trigger }),
    effect: effect as unknown as Effect,
  };
}

function checked(
  value: unknown,
  where: string,
  checks: Readonly<Record<string, Check>>,
  required: readonly string[],
): Record<string, unknown> {
  const parts = object(value, where, Object.keys(checks), required);
  for (const [key, part] of Object.entries(parts)) checks[key]?.(part, `${where}.${key}`);
  return parts;
}
