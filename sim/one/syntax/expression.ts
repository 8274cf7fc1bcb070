// The expressions of SCHED_REQUIREMENTS and SCHED_RANK. Mirrors the scheduler's scanner (characters that no rule matches
// are skipped), its two bison grammars with their messages, and C's int, float and fnmatch. An expression is compiled to
// postfix order and run on a stack, so that no depth of parentheses costs a call.

import { remembered } from '../../kernel/remembered.ts';
import { glob } from './glob.ts';

type Value = string | number;

/** What a host, datastore or network has under a name; several values where the element repeats. */
export type Lookup = (name: string) => Value | readonly Value[] | undefined;

/** An expression that the scheduler cannot parse; the message is its parser's. */
export class ExpressionProblem extends Error {}

/** Whether the requirements hold. `&`, `|` and `!` bind alike, from left to right; an empty text holds. */
export function matches(requirements: string, lookup: Lookup): boolean {
  const stack: boolean[] = [];
  for (const step of conditionOf(requirements)) {
    if (typeof step !== 'string') stack.push(holds(step, lookup));
    else if (step === '!') stack.push(!stack.pop());
    else {
      const right = stack.pop() === true;
      const left = stack.pop() === true;
      stack.push(step === '&' ? left && right : left || right);
    }
  }
  return stack.pop() ?? true;
}

/** The rank, cut to an integer as the scheduler does; a name without a number counts 0, and so does an empty text. */
export function rank(expression: string, lookup: Lookup): number {
  const stack: number[] = [];
  for (const step of formulaOf(expression)) {
    if (typeof step === 'number') stack.push(step);
    else if (typeof step !== 'string') stack.push(firstNumber(lookup(step.name), floatOf) ?? 0);
    else if (step === 'negate') stack.push(-(stack.pop() ?? 0));
    else {
      const right = stack.pop() ?? 0;
      stack.push(Math.fround(OPERATIONS[step](stack.pop() ?? 0, right)));
    }
  }
  const result = Math.trunc(stack.pop() ?? 0) + 0;
  // What x86 makes of a float that is no int, such as a division by zero.
  return result >= -INT_LIMIT && result < INT_LIMIT ? result : -INT_LIMIT;
}

// ---- compiled expressions -----------------------------------------------------------------------------------------

type Comparison = {
  readonly name: string;
  readonly operator: '=' | '!=' | '>' | '<' | '@>';
  readonly operand: Operand;
};
type Operand =
  | { readonly kind: 'number'; readonly number: number; readonly of: (value: Value) => number | undefined }
  | { readonly kind: 'glob'; readonly fits: (text: string) => boolean }
  | { readonly kind: 'empty' };
type Condition = readonly (Comparison | '&' | '|' | '!')[];
type Operation = '+' | '-' | '*' | '/';
type Formula = readonly (number | { readonly name: string } | Operation | 'negate')[];

const OPERATIONS = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
} satisfies Record<Operation, (left: number, right: number) => number>;

// The scheduler asks the same few expressions of every host in every round.
const conditionOf = remembered(compileCondition);
const formulaOf = remembered(compileFormula);

/**
 * An attribute that is not there compares false with everything, with `!=` as well: `!( A = B )` is the way to say so.
 * Nothing compares true with "".
 */
function holds({ name, operator, operand }: Comparison, lookup: Lookup): boolean {
  const found = lookup(name);
  if (found === undefined || operand.kind === 'empty') return false;
  if (operator === '@>') {
    return listed(found).some((value) =>
      operand.kind === 'number' ? operand.of(value) === operand.number : operand.fits(String(value)),
    );
  }
  if (operand.kind === 'glob') {
    const [first] = listed(found);
    return first !== undefined && operand.fits(String(first)) === (operator === '=');
  }
  const number = firstNumber(found, operand.of);
  if (number === undefined) return false;
  switch (operator) {
    case '=':
      return number === operand.number;
    case '!=':
      return number !== operand.number;
    case '>':
      return number > operand.number;
    case '<':
      return number < operand.number;
    default:
      return operator satisfies never;
  }
}

function firstNumber(found: ReturnType<Lookup>, of: (value: Value) => number | undefined): number | undefined {
  for (const value of listed(found)) {
    const number = of(value);
    if (number !== undefined) return number;
  }
  return undefined;
}

function listed(found: ReturnType<Lookup>): readonly Value[] {
  if (found === undefined) return [];
  return typeof found === 'object' ? found : [found];
}

const INT_LIMIT = 2 ** 31;

/** As C++ reads an int from a stream: the digits it starts with, nothing where it has none or too many. */
function intOf(value: Value): number | undefined {
  const number = Number.isInteger(value) ? Number(value) : Number(/^\s*([-+]?\d+)/.exec(String(value))?.[1]);
  return number >= -INT_LIMIT && number < INT_LIMIT ? number : undefined;
}

function floatOf(value: Value): number | undefined {
  const digits = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/.exec(String(value))?.[1];
  return digits === undefined ? undefined : Math.fround(Number(digits));
}

// ---- grammars -----------------------------------------------------------------------------------------------------

/** Where bison gives up. */
const MAX_DEPTH = 9999;

function compileCondition(text: string): Condition {
  const scanner = new Scanner(text, CONDITION_SIGNS);
  const steps: (Comparison | '&' | '|' | '!')[] = [];
  const pending: ('&' | '|' | '!' | '(')[] = [];
  // Operators of one precedence that group from the left: whatever waits is due as soon as an operand is complete.
  const settle = () => {
    for (let last = pending.at(-1); last !== undefined && last !== '('; last = pending.at(-1)) {
      steps.push(last);
      pending.pop();
    }
  };
  let token = scanner.next();
  if (token === '$end') return steps;
  for (;;) {
    while (token === '!' || token === '(') {
      pending.push(token);
      if (pending.length >= MAX_DEPTH) throw scanner.problem('memory exhausted');
      token = scanner.next();
    }
    if (token !== 'STRING') {
      throw scanner.unexpected(token, pending.length === 0 ? ['$end'] : ['!', 'STRING', '(']);
    }
    steps.push(parseComparison(scanner));
    settle();
    token = scanner.next();
    while (token === ')' && pending.length > 0) {
      pending.pop();
      settle();
      token = scanner.next();
    }
    if (token === '$end' && pending.length === 0) return steps;
    if (token !== '&' && token !== '|') {
      throw scanner.unexpected(token, pending.length === 0 ? ['$end'] : ['&', '|', ')']);
    }
    pending.push(token);
    token = scanner.next();
  }
}

function parseComparison(scanner: Scanner): Comparison {
  const name = scanner.string();
  const sign = scanner.next();
  switch (sign) {
    case '=':
      return { name, operator: '=', operand: parseOperand(scanner, 'STRING') };
    case '>':
    case '<':
      return { name, operator: sign, operand: parseOperand(scanner) };
    case '!':
      expect(scanner, '=');
      return { name, operator: '!=', operand: parseOperand(scanner, 'STRING') };
    case '@':
      expect(scanner, '>');
      return { name, operator: '@>', operand: parseOperand(scanner, 'STRING') };
    default:
      throw scanner.unexpected(sign, ['!', '=', '>', '<', '@']);
  }
}

function expect(scanner: Scanner, wanted: Token): void {
  const token = scanner.next();
  if (token !== wanted) throw scanner.unexpected(token, [wanted]);
}

function parseOperand(scanner: Scanner, ...also: 'STRING'[]): Operand {
  const token = scanner.next();
  if (token === 'INTEGER') return { kind: 'number', number: scanner.integer(), of: intOf };
  if (token === 'FLOAT') return { kind: 'number', number: scanner.float(), of: floatOf };
  if (token !== 'STRING' || also.length === 0) throw scanner.unexpected(token, ['INTEGER', ...also, 'FLOAT']);
  const pattern = scanner.string();
  return pattern === '' ? { kind: 'empty' } : { kind: 'glob', fits: glob(pattern) };
}

/** How tightly an operator binds; the sign of a number binds as loosely as the subtraction does. */
const BINDING = { '+': 1, '-': 1, negate: 1, '*': 2, '/': 2, '(': 0 } satisfies Record<
  Operation | 'negate' | '(',
  number
>;

function compileFormula(text: string): Formula {
  const scanner = new Scanner(text, FORMULA_SIGNS);
  const steps: (number | { readonly name: string } | Operation | 'negate')[] = [];
  const pending: (Operation | 'negate' | '(')[] = [];
  const settle = (binding: number) => {
    for (let last = pending.at(-1); last !== undefined && last !== '('; last = pending.at(-1)) {
      if (BINDING[last] < binding) return;
      steps.push(last);
      pending.pop();
    }
  };
  let token = scanner.next();
  if (token === '$end') return steps;
  for (;;) {
    while (token === '-' || token === '(') {
      pending.push(token === '-' ? 'negate' : '(');
      if (pending.length >= MAX_DEPTH) throw scanner.problem('memory exhausted');
      token = scanner.next();
    }
    if (token === 'STRING') steps.push({ name: scanner.string() });
    else if (token === 'INTEGER') steps.push(Math.fround(scanner.integer()));
    else if (token === 'FLOAT') steps.push(scanner.float());
    else throw scanner.unexpected(token, pending.length === 0 ? ['$end'] : ['-', 'INTEGER', 'STRING', 'FLOAT', '(']);
    token = scanner.next();
    while (token === ')' && pending.includes('(')) {
      settle(BINDING['(']);
      pending.pop();
      token = scanner.next();
    }
    if (token === '+' || token === '-' || token === '*' || token === '/') {
      settle(BINDING[token]);
      pending.push(token);
      token = scanner.next();
      continue;
    }
    settle(BINDING['(']);
    if (token === '$end' && pending.length === 0) return steps;
    throw scanner.unexpected(token, pending.length === 0 ? ['$end'] : ['+', '-', '*', '/', ')']);
  }
}

// ---- scanner ------------------------------------------------------------------------------------------------------

const SIGNS = ['!', '&', '|', '=', '>', '<', '@', '+', '-', '*', '/', '(', ')'] as const;
type Token = '$end' | '$undefined' | 'INTEGER' | 'STRING' | 'FLOAT' | (typeof SIGNS)[number];

const CONDITION_SIGNS = '!&|=><@()';
const FORMULA_SIGNS = '+-*/()';

const RULES = /[ \t]+|[A-Za-z]\w*|"[^"]*"|-?\d+(?:\.\d+)?|[-@!&|=><()*+/^]/y;

class Scanner {
  readonly #source: string;
  readonly #signs: string;
  #start = 0;
  #end = 0;
  #skipped = false;

  constructor(source: string, signs: string) {
    // The scheduler's texts are C strings.
    const zero = source.indexOf('\0');
    this.#source = zero < 0 ? source : source.slice(0, zero);
    this.#signs = signs;
  }

  next(): Token {
    while (this.#end < this.#source.length) {
      this.#start = this.#end;
      RULES.lastIndex = this.#start;
      this.#skipped = !RULES.test(this.#source);
      this.#end = this.#skipped ? this.#start + 1 : RULES.lastIndex;
      const first = this.#source.charAt(this.#start);
      if (this.#skipped || first === ' ' || first === '\t') continue;
      if (/[A-Za-z"]/.test(first)) return 'STRING';
      const text = this.#text();
      if (/\d/.test(text)) return text.includes('.') ? 'FLOAT' : 'INTEGER';
      return SIGNS.find((sign) => sign === first && this.#signs.includes(sign)) ?? '$undefined';
    }
    return '$end';
  }

  string(): string {
    return this.#text().replace(/^"|"$/g, '');
  }

  /** As C's atoi: held within 64 bits, and of these the lower 32. */
  integer(): number {
    const number = Number(this.#text());
    if (number >= 2 ** 63) return -1;
    return number < -(2 ** 63) ? 0 : Number(BigInt.asIntN(32, BigInt(this.#text())));
  }

  float(): number {
    return Math.fround(Number(this.#text()));
  }

  /** bison names what it expected only where there are no more than four choices. */
  unexpected(token: Token, expected: readonly Token[]): ExpressionProblem {
    const choices = expected.length > 4 ? '' : `, expecting ${expected.map(printed).join(' or ')}`;
    return this.problem(`syntax error, unexpected ${printed(token)}${choices}`);
  }

  problem(message: string): ExpressionProblem {
    const last = 1 + Buffer.byteLength(this.#source.slice(0, this.#end));
    const first = last - (this.#skipped ? 1 : Buffer.byteLength(this.#text()));
    return new ExpressionProblem(`${message} at line ${this.#lines()}, columns ${first}:${last}`);
  }

  #text(): string {
    return this.#source.slice(this.#start, this.#end);
  }

  /** Only the lines that end inside a quoted string count: a line's end elsewhere is skipped. */
  #lines(): number {
    const quoted = this.#source.slice(0, this.#end).match(/"[^"]*"/g) ?? [];
    return quoted.join('').split('\n').length - 1;
  }
}

function printed(token: Token): string {
  return token.length === 1 ? `'${token}'` : token;
}
