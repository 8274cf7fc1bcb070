/** Parameters of a call, by the letters of its method: what is checked, and what is said when they do not fit. Mirrors xmlrpc_c::paramList. */
import { FAULT_CODES, Fault, type Value } from './xmlrpc.ts';

/** The types that letters stand for. */
interface Letters {
  readonly i: number;
  readonly s: string;
  readonly b: boolean;
  readonly A: readonly number[];
}

type Each<Text extends string> = Text extends `${infer Letter}${infer Rest}`
  ? Letter extends keyof Letters
    ? [Letters[Letter], ...Each<Rest>]
    : Each<Rest>
  : [];

/** The parameters that a method's letters stand for. */
export type Taken<Text extends string> = Text extends `${infer Required}|${infer Optional}`
  ? [...Each<Required>, ...Partial<Each<Optional>>]
  : Each<Text>;

interface Kind {
  /** As `system.methodSignature` has it. */
  readonly name: string;
  /** What a value that is none `is supposed to be`. */
  readonly supposed: string;
  readonly fits: (value: Value) => boolean;
}

const isInt = (value: Value): boolean => typeof value === 'number';
const isBoolean = (value: Value): boolean => typeof value === 'boolean';

const KINDS: Readonly<Record<string, Kind>> = {
  i: { name: 'int', supposed: 'integer', fits: isInt },
  s: { name: 'string', supposed: 'a string', fits: (value) => typeof value === 'string' },
  b: { name: 'boolean', supposed: 'boolean', fits: isBoolean },
  A: { name: 'array', supposed: 'an array', fits: (value) => Array.isArray(value) && value.every(isInt) },
  d: { name: 'boolean', supposed: 'boolean', fits: isBoolean },
};

const kindOf = (letter: string): Kind => {
  const kind = KINDS[letter];
  if (kind === undefined) throw new Error(`no parameter is called ${letter}`);
  return kind;
};

/** @throws Fault */
export function requireString(params: readonly Value[], index: number): string {
  const value = params[index];
  if (value === undefined) throw new Fault(FAULT_CODES.TYPE, 'Not enough parameters');
  if (typeof value === 'string') return value;
  throw unfit(kindOf('s'));
}

/**
 * The parameters behind the session that a method takes; more than that are ignored.
 * @param admin whether oned would read what only administrators may ask for
 * @throws Fault
 */
export function parameters(params: readonly Value[], takes: string, admin: boolean): Value[] {
  const [required = '', optional = ''] = takes.split('|');
  const taken: Value[] = [];
  for (const [i, letter] of [...required, ...optional].entries()) {
    const value = params[i + 1];
    if (value === undefined) {
      if (i >= required.length) break;
      throw new Fault(FAULT_CODES.TYPE, 'Not enough parameters');
    }
    if (letter === 'd' && !admin) continue;
    const kind = kindOf(letter);
    if (!kind.fits(value)) throw unfit(kind);
    if (letter !== 'd') taken.push(value);
  }
  return taken;
}

const unfit = ({ supposed }: Kind): Fault =>
  new Fault(FAULT_CODES.TYPE, `Parameter that is supposed to be ${supposed} is not`);

/** Types of the parameters, the session included; without those that may be missing. */
export function requiredTypes(takes: string): string[] {
  const [required = ''] = takes.split('|');
  return ['string', ...Array.from(required, (letter) => kindOf(letter).name)];
}

/** For somebody who called a method wrongly: `one.vm.info(session, int, [boolean])`. */
export function signature(method: string, takes: string): string {
  const [required = '', optional = ''] = takes.split('|');
  const names = (letters: string): string[] => Array.from(letters, (letter) => kindOf(letter).name);
  const all = ['session', ...names(required), ...names(optional).map((name) => `[${name}]`)];
  return `${method}(${all.join(', ')})`;
}
