/** Expressions of OneFlow's elasticity policies: `CPU > 80 && (LATENCY >= 2.5 | !"USERS" < 10)`. Mirrors `grammar.treetop` of OneFlow 6.10, with the messages of its parser. */

export type Operand = { readonly number: number } | { readonly attribute: string };

const COMPARISONS = ['==', '=', '!=', '<>', '>=', '>', '<=', '<'] as const;
const CONNECTIVES = ['&&', '&', '||', '|'] as const;

export type Expression =
  | {
      readonly op: (typeof COMPARISONS)[number];
      readonly left: Operand;
      readonly right: Operand;
    }
  | {
      readonly op: (typeof CONNECTIVES)[number];
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly op: '!' | '('; readonly of: Expression };

/** How deep an expression may be nested before it is refused unread. */
const MAX_DEPTH = 100;

export function parseExpression(text: string): { readonly expression: Expression } | { readonly failure: string } {
  const parser = new Parser(text);
  const expression = parser.expression(0);
  if (expression !== undefined && parser.at === text.length) return { expression };
  return { failure: parser.failure(expression === undefined ? 0 : parser.at) };
}

const COMPARE: Readonly<Record<(typeof COMPARISONS)[number], (left: number, right: number) => boolean>> = {
  '==': (left, right) => left === right,
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<>': (left, right) => left !== right,
  '>=': (left, right) => left >= right,
  '>': (left, right) => left > right,
  '<=': (left, right) => left <= right,
  '<': (left, right) => left < right,
};

/** Whether it holds, and the expression with what its attributes were: `CPU[12.5] > 80`. */
export interface Evaluated {
  readonly value: boolean;
  readonly text: string;
}

/** @param look the value of an attribute; a comparison with one that has none does not hold */
export function evaluate(expression: Expression, look: (attribute: string) => number | undefined): Evaluated {
  switch (expression.op) {
    case '!': {
      const { value, text } = evaluate(expression.of, look);
      return { value: !value, text: `!${text}` };
    }
    case '(': {
      const { value, text } = evaluate(expression.of, look);
      return { value, text: `(${text})` };
    }
    case '&&':
    case '&':
    case '||':
    case '|': {
      const left = evaluate(expression.left, look);
      const right = evaluate(expression.right, look);
      const value = expression.op.startsWith('&') ? left.value && right.value : left.value || right.value;
      return { value, text: `${left.text} ${expression.op} ${right.text}` };
    }
    default: {
      const left = operandValue(expression.left, look);
      const right = operandValue(expression.right, look);
      const known = left.value !== undefined && right.value !== undefined;
      return {
        value: known && COMPARE[expression.op](left.value, right.value),
        text: `${left.text} ${expression.op} ${right.text}`,
      };
    }
  }
}

function operandValue(
  operand: Operand,
  look: (attribute: string) => number | undefined,
): { readonly value: number | undefined; readonly text: string } {
  if ('number' in operand) return { value: operand.number, text: String(operand.number) };
  const value = look(operand.attribute);
  const shown = value === undefined ? '--' : Number.isInteger(value) ? value.toFixed(1) : String(value);
  return { value, text: `${operand.attribute}[${shown}]` };
}

/** Tries alternatives in order and remembers what would have fitted at the farthest point reached. */
class Parser {
  at = 0;
  readonly #text: string;
  #farthest = 0;
  readonly #expected = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  /** A condition, or a condition and the rest behind a connective: to the right, all of equal rank. */
  expression(depth: number): Expression | undefined {
    const start = this.at;
    if (depth > MAX_DEPTH) return undefined;
    this.#blanks();
    const left = this.#condition(depth);
    if (left === undefined) return this.#back(start);
    const end = this.at;
    this.#blanks();
    const op = this.#oneOf(CONNECTIVES);
    const right = op === undefined ? undefined : this.expression(depth + 1);
    if (op !== undefined && right !== undefined) return { op, left, right };
    this.at = end;
    this.#blanks();
    return left;
  }

  failure(start: number): string {
    const expected = [...this.#expected];
    const before = this.#text.slice(0, this.#farthest);
    const line = before.split('\n').length;
    const column = this.#farthest - before.lastIndexOf('\n');
    const wanted = expected.length === 1 ? expected[0] : `one of ${expected.join(', ')}`;
    const after = this.#farthest > 0 ? ` after ${this.#text.slice(start, this.#farthest)}` : '';
    return `Expected ${wanted} at line ${line}, column ${column} (byte ${this.#farthest + 1})${after}`;
  }

  #condition(depth: number): Expression | undefined {
    return this.#comparison() ?? this.#negation(depth) ?? this.#group(depth);
  }

  #comparison(): Expression | undefined {
    const start = this.at;
    const left = this.#operand();
    if (left === undefined) return this.#back(start);
    this.#blanks();
    const op = this.#oneOf(COMPARISONS);
    if (op === undefined) return this.#back(start);
    this.#blanks();
    const right = this.#operand();
    return right === undefined ? this.#back(start) : { op, left, right };
  }

  #negation(depth: number): Expression | undefined {
    const start = this.at;
    if (!this.#literal('!')) return undefined;
    this.#blanks();
    const of = this.expression(depth + 1);
    return of === undefined ? this.#back(start) : { op: '!', of };
  }

  #group(depth: number): Expression | undefined {
    const start = this.at;
    if (!this.#literal('(')) return undefined;
    this.#blanks();
    const of = this.expression(depth + 1);
    if (of === undefined) return this.#back(start);
    this.#blanks();
    return this.#literal(')') ? { op: '(', of } : this.#back(start);
  }

  #operand(): Operand | undefined {
    return this.#number() ?? this.#attribute();
  }

  #number(): Operand | undefined {
    const start = this.at;
    this.#literal('-');
    if (!this.#run('[0-9]')) return this.#back(start);
    const whole = this.at;
    if (!this.#literal('.') || !this.#run('[0-9]')) this.at = whole;
    return { number: Number(this.#text.slice(start, this.at)) };
  }

  #attribute(): Operand | undefined {
    const start = this.at;
    for (const quote of ['"', "'", '']) {
      if (quote !== '' && !this.#literal(quote)) continue;
      const from = this.at;
      if (this.#one('[a-zA-Z]')) {
        this.#run('[0-9a-zA-Z_]');
        const attribute = this.#text.slice(from, this.at).toUpperCase();
        if (quote === '' || this.#literal(quote)) return { attribute };
      }
      this.at = start;
    }
    return undefined;
  }

  #back(to: number): undefined {
    this.at = to;
    return undefined;
  }

  #blanks(): void {
    while (this.#literal(' '));
  }

  #oneOf<T extends string>(words: readonly T[]): T | undefined {
    return words.find((word) => this.#literal(word));
  }

  #literal(word: string): boolean {
    if (!this.#text.startsWith(word, this.at)) return this.#expect(`'${word}'`);
    this.at += word.length;
    return true;
  }

  #one(set: keyof typeof SETS): boolean {
    if (!SETS[set].test(this.#text.charAt(this.at))) return this.#expect(set);
    this.at++;
    return true;
  }

  #run(set: keyof typeof SETS): boolean {
    const start = this.at;
    while (this.#one(set));
    return this.at > start;
  }

  #expect(what: string): false {
    if (this.at > this.#farthest) this.#expected.clear();
    if (this.at >= this.#farthest) {
      this.#farthest = this.at;
      this.#expected.add(what);
    }
    return false;
  }
}

const SETS = {
  '[0-9]': /^[0-9]$/,
  '[a-zA-Z]': /^[a-zA-Z]$/,
  '[0-9a-zA-Z_]': /^[0-9a-zA-Z_]$/,
} as const;
