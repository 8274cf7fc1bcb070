/** A PromQL expression, read and not yet checked; and what ends a query. Mirrors the nodes of Prometheus' parser. */
import type { Matcher } from './matcher.ts';

export type ValueType = 'scalar' | 'string' | 'instant vector' | 'range vector';

type SetOperator = 'and' | 'or' | 'unless';
export type Comparison = '==' | '!=' | '<' | '>' | '<=' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type BinaryOperator = SetOperator | Comparison | Arithmetic;

/** How the series of two vectors are paired. */
export interface Matching {
  readonly on: boolean;
  /** Of `on` or `ignoring`. */
  readonly labels: readonly string[];
  readonly group: 'left' | 'right' | null;
  /** Labels that the series of the one side lend to those of the many. */
  readonly include: readonly string[];
}

/** `start` and `end` of an expression are offsets into the text of the query. */
interface Stretch {
  readonly start: number;
}

export interface Selector extends Stretch {
  readonly is: 'selector';
  /** With the metric name as a matcher of `__name__`. */
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  /** Of the `@` modifier. */
  readonly fixed: number | 'start' | 'end' | null;
  /** null for an instant vector. */
  readonly rangeMs: number | null;
}

export interface Call extends Stretch {
  readonly is: 'call';
  readonly name: string;
  readonly args: readonly Expression[];
}

export interface Aggregation extends Stretch {
  readonly is: 'aggregation';
  readonly operator: string;
  /** With the parameter, if there is one, before the vector. */
  readonly args: readonly Expression[];
  readonly labels: readonly string[];
  readonly without: boolean;
}

export interface Binary extends Stretch {
  readonly is: 'binary';
  readonly operator: BinaryOperator;
  readonly operatorAt: number;
  readonly left: Expression;
  readonly right: Expression;
  readonly bool: boolean;
  /** null where none is written. */
  readonly matching: Matching | null;
}

export type Expression =
  | (Stretch & { readonly is: 'number'; readonly value: number })
  | (Stretch & { readonly is: 'string'; readonly text: string })
  | (Stretch & { readonly is: 'paren'; readonly inner: Expression })
  | (Stretch & { readonly is: 'negation'; readonly sign: '+' | '-'; readonly operand: Expression })
  | Selector
  | Call
  | Aggregation
  | Binary;

/** An expression that Prometheus would refuse as `bad_data`; the message is its own, or names what is not supported. */
export class ParseError extends Error {
  override readonly name = 'ParseError';

  constructor(query: string, at: number, message: string) {
    super(`${placeOf(query, at)}: parse error: ${message}`);
  }
}

/** A query that cannot be carried out on what is there: `execution`. */
export class ExecutionError extends Error {
  override readonly name = 'ExecutionError';
}

/** Line and column, which Prometheus counts in bytes. */
function placeOf(query: string, at: number): string {
  const before = query.slice(0, at);
  const line = before.split('\n').length;
  return `${line}:${Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1)) + 1}`;
}
