/**
 * Reads PromQL with the official grammar. That grammar is made for editors, and does not say how strongly a suffix
 * binds: `a + b[5m]` is to it the range of a sum. So its tree is taken for its parts alone, in the order of the text,
 * and put together by the precedences of Prometheus' own parser.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { PatternError } from './automaton.ts';
import { type BinaryOperator, type Expression, type Matching, ParseError, type Selector } from './expression.ts';
import { durationOf, numberOf, textOf } from './literal.ts';
import { type Matcher, type MatchOperator, matcher } from './matcher.ts';
import { syntaxError } from './syntax-error.ts';

/** Longer, or nested more deeply, is refused. */
const MOST_CHARS = 65_536;
const DEEPEST = 250;
/** Each is looked for among all series. */
const MOST_SELECTORS = 100;

const strict = parser.configure({ strict: true });

/** @throws ParseError */
export function parse(query: string): Expression {
  if (query.length > MOST_CHARS) throw new ParseError('', 0, `query of more than ${MOST_CHARS} characters`);
  if (/^(?:\s|#[^\n]*)*$/.test(query)) throw new ParseError('', 0, 'no expression found in input');
  return new Reader(query).whole();
}

/** Reads the series selector of a `match[]` parameter. @throws ParseError */
export function parseSelector(query: string): readonly Matcher[] {
  const expression = parse(query);
  const isPlain = expression.is === 'selector' && expression.rangeMs === null && expression.fixed === null;
  if (isPlain && expression.offsetMs === 0) return expression.matchers;
  const name = /^\s*[a-zA-Z_:][\w:]*\s*/.exec(query)?.[0].length ?? 0;
  const braces = /^\s*[\w:]*\s*\{[^}]*\}\s*/.exec(query)?.[0].length ?? 0;
  throw syntaxError(query, Math.max(name, braces), 'selector');
}

const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '>': 3,
  '<=': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};

const isOperator = (text: string): text is BinaryOperator => Object.hasOwn(PRECEDENCE, text);

type Part =
  | { readonly is: 'operand'; readonly node: SyntaxNode }
  | { readonly is: 'prefix'; readonly sign: '+' | '-'; readonly start: number }
  | { readonly is: 'infix'; readonly operator: BinaryOperator; readonly node: SyntaxNode; readonly of: SyntaxNode }
  | { readonly is: 'suffix'; readonly node: SyntaxNode };

const REFUSED: Readonly<Record<string, string>> = {
  SubqueryExpr: 'subqueries are not supported',
  AnchoredExpr: 'the modifier anchored is not supported',
  SmoothedExpr: 'the modifier smoothed is not supported',
};

const SUFFIXED = new Set(['MatrixSelector', 'OffsetExpr', 'StepInvariantExpr']);

const childrenOf = (node: SyntaxNode): SyntaxNode[] => {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling)
    if (child.name !== 'LineComment') children.push(child);
  return children;
};

class Reader {
  readonly #query: string;
  #depth = 0;
  #selectors = 0;

  constructor(query: string) {
    this.#query = query;
  }

  whole(): Expression {
    const [root] = childrenOf(this.#tree());
    if (root === undefined) throw new ParseError('', 0, 'no expression found in input');
    return this.#expression(root);
  }

  #tree(): SyntaxNode {
    try {
      return strict.parse(this.#query).topNode;
    } catch (error) {
      const at = error instanceof SyntaxError ? /^No parse at (\d+)$/.exec(error.message)?.[1] : undefined;
      if (at === undefined) throw error;
      throw syntaxError(this.#query, Number(at));
    }
  }

  #text({ from, to }: SyntaxNode): string {
    return this.#query.slice(from, to);
  }

  #error(at: number, message: string): ParseError {
    return new ParseError(this.#query, at, message);
  }

  #expression(node: SyntaxNode): Expression {
    if (++this.#depth > DEEPEST) throw this.#error(node.from, `more than ${DEEPEST} levels of nesting`);
    const parts: Part[] = [];
    this.#flatten(node, parts);
    const expression = this.#assembled(parts.reverse(), 0);
    this.#depth--;
    return expression;
  }

  /** The parts of an expression in the order of the text. */
  #flatten(node: SyntaxNode, parts: Part[]): void {
    const refused = REFUSED[node.name];
    if (refused !== undefined) throw this.#error(node.from, refused);
    const [first = node, second = node, ...rest] = childrenOf(node);
    if (node.name === 'BinaryExpr') {
      const operator = this.#text(second).toLowerCase();
      if (!isOperator(operator)) throw this.#error(second.from, `the operator ${operator} is not supported`);
      this.#flatten(first, parts);
      parts.push({ is: 'infix', operator, node: second, of: node });
      this.#flatten(rest.at(-1) ?? node, parts);
    } else if (node.name === 'UnaryExpr') {
      parts.push({ is: 'prefix', sign: this.#text(first) === '-' ? '-' : '+', start: node.from });
      this.#flatten(second, parts);
    } else if (SUFFIXED.has(node.name)) {
      this.#flatten(first, parts);
      parts.push({ is: 'suffix', node });
    } else {
      const sign = node.name === 'NumberDurationLiteral' ? /^[+-]/.exec(this.#text(node))?.[0] : undefined;
      if (sign !== undefined) parts.push({ is: 'prefix', sign: sign === '-' ? '-' : '+', start: node.from });
      parts.push({ is: 'operand', node });
    }
    if (parts.length > 2 * DEEPEST) throw this.#error(node.from, `more than ${DEEPEST} operators in a row`);
  }

  /** Takes parts off the end of a list in reverse, as long as they bind as strongly as asked. */
  #assembled(parts: Part[], least: number): Expression {
    let left = this.#operand(parts);
    for (;;) {
      const part = parts.at(-1);
      if (part?.is !== 'infix') return left;
      const precedence = PRECEDENCE[part.operator];
      if (precedence < least) return left;
      parts.pop();
      const right = this.#assembled(parts, part.operator === '^' ? precedence : precedence + 1);
      const { operator } = part;
      const modifiers = childrenOf(part.of);
      left = {
        is: 'binary',
        start: left.start,
        operator,
        operatorAt: part.node.from,
        left,
        right,
        bool: modifiers.some(({ name }) => name === 'BoolModifier'),
        matching: this.#matching(modifiers),
      };
    }
  }

  #operand(parts: Part[]): Expression {
    const part = parts.pop();
    if (part?.is === 'prefix') {
      const operand = this.#assembled(parts, PRECEDENCE['^']);
      if (operand.is !== 'number') return { is: 'negation', start: part.start, sign: part.sign, operand };
      return { is: 'number', start: part.start, value: part.sign === '-' ? -operand.value : operand.value };
    }
    if (part?.is !== 'operand') throw new Error('The grammar gave parts in an order that it does not have');
    let expression = this.#primary(part.node);
    for (let next = parts.at(-1); next?.is === 'suffix'; next = parts.at(-1)) {
      parts.pop();
      expression = this.#suffixed(expression, next.node);
    }
    return expression;
  }

  #primary(node: SyntaxNode): Expression {
    const start = node.from;
    const text = this.#text(node);
    switch (node.name) {
      case 'ParenExpr': {
        const [inner = node] = childrenOf(node);
        return { is: 'paren', start, inner: this.#expression(inner) };
      }
      case 'NumberDurationLiteral': {
        const value = numberOf(text.replace(/^[+-]\s*/, ''));
        if (value === undefined) throw syntaxError(this.#query, start);
        return { is: 'number', start, value };
      }
      case 'StringLiteral':
        return { is: 'string', start, text: this.#string(node) };
      case 'FunctionCall': {
        const [name = node, body = node] = childrenOf(node);
        return { is: 'call', start, name: this.#text(name), args: this.#args(body) };
      }
      case 'AggregateExpr':
        return this.#aggregation(node);
      case 'VectorSelector':
        return this.#selector(node);
      default:
        throw this.#error(start, `${node.name} is not supported`);
    }
  }

  #args(body: SyntaxNode): Expression[] {
    return childrenOf(body).map((node) => this.#expression(node));
  }

  #aggregation(node: SyntaxNode): Expression {
    const children = childrenOf(node);
    const operator = children.find(({ name }) => name === 'AggregateOp') ?? node;
    const body = children.find(({ name }) => name === 'FunctionCallBody') ?? node;
    const modifier = children.find(({ name }) => name === 'AggregateModifier');
    const [kind, labels] = modifier === undefined ? [] : childrenOf(modifier);
    return {
      is: 'aggregation',
      start: node.from,
      operator: this.#text(operator).toLowerCase(),
      args: this.#args(body),
      labels: labels === undefined ? [] : this.#labels(labels),
      without: kind?.name === 'Without',
    };
  }

  #labels(node: SyntaxNode): string[] {
    return childrenOf(node).map((label) => {
      if (label.name !== 'LabelName') throw this.#error(label.from, 'quoted label names are not supported');
      return this.#text(label);
    });
  }

  #matching(modifiers: readonly SyntaxNode[]): Matching | null {
    const fill = modifiers.find(({ name }) => name === 'FillModifier');
    if (fill !== undefined) throw this.#error(fill.from, 'the modifier fill is not supported');
    const clause = modifiers.find(({ name }) => name === 'MatchingModifierClause');
    if (clause === undefined) return null;
    const [kind, labels = clause, group, include] = childrenOf(clause);
    return {
      on: kind?.name === 'On',
      labels: this.#labels(labels),
      group: group === undefined ? null : group.name === 'GroupLeft' ? 'left' : 'right',
      include: include === undefined ? [] : this.#labels(include),
    };
  }

  #selector(node: SyntaxNode): Selector {
    const start = node.from;
    if (++this.#selectors > MOST_SELECTORS) throw this.#error(start, `more than ${MOST_SELECTORS} selectors`);
    const children = childrenOf(node);
    const name = children.find((child) => child.name === 'Identifier');
    const braces = children.find((child) => child.name === 'LabelMatchers');
    const matchers = braces === undefined ? [] : childrenOf(braces).map((child) => this.#matcher(child));
    if (name !== undefined) {
      const twice = matchers.find(({ label }) => label === '__name__');
      if (twice !== undefined) {
        const names = `${JSON.stringify(this.#text(name))} or ${JSON.stringify(twice.value)}`;
        throw this.#error(start, `metric name must not be set twice: ${names}`);
      }
      matchers.push(matcher('__name__', '=', this.#text(name)));
    }
    if (matchers.every(({ passes }) => passes(''))) {
      throw this.#error(start, 'vector selector must contain at least one non-empty matcher');
    }
    return { is: 'selector', start, matchers, offsetMs: 0, fixed: null, rangeMs: null };
  }

  #matcher(node: SyntaxNode): Matcher {
    const [label = node, operator = node, value = node] = childrenOf(node);
    if (node.name !== 'UnquotedLabelMatcher') throw this.#error(node.from, 'quoted label names are not supported');
    try {
      return matcher(this.#text(label), this.#text(operator) as MatchOperator, this.#string(value));
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw this.#error(node.from, error.message);
    }
  }

  #string(node: SyntaxNode): string {
    const literal = this.#text(node);
    // The grammar lets the closing quote be missing.
    if (literal.length < 2 || literal.at(-1) !== literal[0] || /^(?:[^\\]|\\.)*\\.$/s.test(literal)) {
      throw this.#error(node.from, 'unterminated quoted string');
    }
    const read = textOf(literal);
    if (typeof read === 'string') throw this.#error(node.from, read);
    return read.text;
  }

  #suffixed(of: Expression, node: SyntaxNode): Expression {
    const [, ...rest] = childrenOf(node);
    switch (node.name) {
      case 'MatrixSelector':
        return this.#ranged(of, rest[0] ?? node);
      case 'OffsetExpr':
        return this.#offset(of, rest[1] ?? node);
      default:
        return this.#fixed(of, rest[1] ?? node);
    }
  }

  #ranged(of: Expression, duration: SyntaxNode): Selector {
    const bracket = this.#query.lastIndexOf('[', duration.from);
    if (of.is !== 'selector' || of.rangeMs !== null) {
      throw this.#error(bracket, 'ranges only allowed for vector selectors');
    }
    if (of.offsetMs !== 0) throw this.#error(bracket, 'no offset modifiers allowed before range');
    if (of.fixed !== null) throw this.#error(bracket, 'no @ modifiers allowed before range');
    return { ...of, rangeMs: this.#duration(duration, 'missing unit character in duration') };
  }

  #offset(of: Expression, duration: SyntaxNode): Selector {
    if (of.is !== 'selector') {
      const needed = 'an instant vector selector or range vector selector or a subquery';
      throw this.#error(of.start, `offset modifier must be preceded by ${needed}`);
    }
    if (of.offsetMs !== 0) throw this.#error(of.start, 'offset may not be set multiple times');
    const [, operand] = childrenOf(duration);
    const negative = operand !== undefined && this.#text(duration).startsWith('-');
    const offsetMs = this.#duration(operand ?? duration, null);
    return { ...of, offsetMs: negative ? -offsetMs : offsetMs };
  }

  #fixed(of: Expression, node: SyntaxNode): Selector {
    if (of.is !== 'selector') {
      const needed = 'an instant vector selector or range vector selector or a subquery';
      throw this.#error(of.start, `@ modifier must be preceded by ${needed}`);
    }
    if (of.fixed !== null) throw this.#error(of.start, '@ <timestamp> may not be set multiple times');
    const text = this.#text(node).toLowerCase();
    if (text.startsWith('start') || text.startsWith('end')) {
      return { ...of, fixed: text.startsWith('start') ? 'start' : 'end' };
    }
    const value = numberOf(text.replace(/^[+-]\s*/, ''));
    if (value === undefined) throw syntaxError(this.#query, node.from);
    const at = Math.round((text.startsWith('-') ? -value : value) * 1000);
    if (!(Math.abs(at) <= Number.MAX_SAFE_INTEGER)) {
      throw this.#error(of.start, `timestamp out of bounds for @ modifier: ${text}`);
    }
    return { ...of, fixed: at };
  }

  /** @param unitless what is said of a number without a unit; null when it is simply not expected */
  #duration(node: SyntaxNode, unitless: string | null): number {
    const text = this.#text(node);
    if (/^[+-]?[\d.]*$/.test(text)) {
      throw unitless === null ? this.#expectedDuration(node.from, text) : this.#error(node.from, unitless);
    }
    if (!/^\d[\da-z]*$/.test(text)) throw this.#error(node.from, 'duration expressions are not supported');
    const duration = durationOf(text);
    if (typeof duration === 'string') throw this.#error(node.from, duration);
    if (duration === 0) throw this.#error(node.from, 'duration must be greater than 0');
    return duration;
  }

  #expectedDuration(at: number, text: string): ParseError {
    return this.#error(at, `unexpected number ${JSON.stringify(text)} in offset, expected duration`);
  }
}
