/**
 * The wording of syntax errors. The grammar says where a query stops making sense; this says it as Prometheus does,
 * from the tokens up to there. Mirrors the lexer of Prometheus 2.42, and what its parser expects in which place.
 */
import { ParseError } from './expression.ts';
import { durationOf } from './literal.ts';

interface Token {
  readonly type: 'identifier' | 'number' | 'duration' | 'string' | 'operator' | 'keyword' | 'sign' | 'end';
  readonly text: string;
  readonly start: number;
}

const OPERATORS = ['==', '!=', '<=', '>=', '=~', '!~', '+', '-', '*', '/', '%', '^', '<', '>', '@', '='];
const WORD_OPERATORS = new Set(['and', 'or', 'unless', 'atan2']);
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const KEYWORDS = new Set(['offset', 'bool', ...GROUPING]);
const AGGREGATORS = new Set('sum avg count min max group stddev stdvar topk bottomk count_values quantile'.split(' '));
const OPENING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** The error that Prometheus reports for a text that makes no sense from an offset on. */
export function syntaxError(query: string, stoppedAt: number, of: 'query' | 'selector' = 'query'): ParseError {
  const scan = new Scan(query);
  for (;;) {
    const token = scan.next();
    if (token instanceof ParseError) return token;
    if (token.type !== 'end' && token.start + token.text.length <= stoppedAt) {
      scan.keep(token);
      continue;
    }
    return unexpected(query, token, scan, of);
  }
}

/** Reads tokens, and remembers what they stand in. */
class Scan {
  readonly kept: Token[] = [];
  readonly open: string[] = [];
  readonly #query: string;
  #at = 0;

  constructor(query: string) {
    this.#query = query;
  }

  get inBraces(): boolean {
    return this.open.at(-1) === '{';
  }

  keep(token: Token): void {
    this.kept.push(token);
    if (token.type !== 'sign') return;
    if ('([{'.includes(token.text)) this.open.push(token.text);
    else if (OPENING[token.text] === this.open.at(-1)) this.open.pop();
  }

  next(): Token | ParseError {
    const query = this.#query;
    this.#at += /^(?:\s|#[^\n]*)*/.exec(query.slice(this.#at))?.[0].length ?? 0;
    const start = this.#at;
    const rest = query.slice(start);
    if (rest === '') return this.#end(start);
    if (this.open.at(-1) === '[') return this.#inBrackets(rest, start);
    const word = /^[a-zA-Z_:][\w:]*/.exec(rest)?.[0];
    if (word !== undefined && !(this.inBraces && word.includes(':'))) return this.#token(wordType(word, this), word);
    if (!this.inBraces && /^\.?\d/.test(rest)) return this.#number(rest, start);
    if (/^["'`]/.test(rest)) return this.#string(rest, start);
    return this.#sign(rest, start);
  }

  #token(type: Token['type'], text: string): Token {
    const token = { type, text, start: this.#at };
    this.#at += text.length;
    return token;
  }

  #error(at: number, message: string): ParseError {
    return new ParseError(this.#query, at, message);
  }

  #end(start: number): Token | ParseError {
    if (this.inBraces) return this.#error(start, 'unexpected end of input inside braces');
    if (this.open.at(-1) === '[') return this.#error(start, 'unclosed left bracket');
    if (this.open.length > 0) return this.#error(start, 'unclosed left parenthesis');
    return { type: 'end', text: '', start };
  }

  #inBrackets(rest: string, start: number): Token | ParseError {
    if (rest[0] === ']' || rest[0] === ':') {
      const isFirst = this.kept.at(-1)?.text === '[';
      return isFirst ? this.#error(start, 'missing unit character in duration') : this.#token('sign', rest[0]);
    }
    const text = /^[\w.]+/.exec(rest)?.[0] ?? '';
    if (!/^\d+[a-z]/.test(text)) return this.#error(start, 'missing unit character in duration');
    if (!/^(\d+(ms|[smhdwy]))+$/.test(text)) {
      return this.#error(start, `bad duration syntax: ${JSON.stringify(text)}`);
    }
    const duration = durationOf(text);
    return typeof duration === 'string' ? this.#error(start, duration) : this.#token('duration', text);
  }

  #number(rest: string, start: number): Token | ParseError {
    const [text = ''] = /^(0[xX][0-9a-fA-F]*|(\d+\.?\d*|\.\d+)([eE][+-]?\d*)?)/.exec(rest) ?? [];
    const [duration = ''] = /^(\d+(ms|[smhdwy]))+/.exec(rest) ?? [];
    if (duration !== '' && !/^\w/.test(rest.slice(duration.length))) {
      const problem = durationOf(duration);
      return typeof problem === 'string' ? this.#error(start, problem) : this.#token('duration', duration);
    }
    if (/^\w/.test(rest.slice(text.length))) {
      return this.#error(start, `bad number or duration syntax: ${JSON.stringify(text)}`);
    }
    if (/^0[xX]$|[eE][+-]?$/.test(text)) {
      return this.#error(
        start,
        `error parsing number: strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    }
    return this.#token('number', text);
  }

  #string(rest: string, start: number): Token | ParseError {
    const [text] = /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)/.exec(rest) ?? [];
    if (text !== undefined) return this.#token('string', text);
    return this.#error(start, rest[0] === '`' ? 'unterminated raw string' : 'unterminated quoted string');
  }

  #sign(rest: string, start: number): Token | ParseError {
    const sign = Array.from(rest.slice(0, 2))[0] ?? '';
    const where = this.inBraces ? ' inside braces' : '';
    const operator = OPERATORS.find((each) => rest.startsWith(each));
    if (!this.inBraces && (operator === '=~' || operator === '!~')) {
      const shown = operator === '=~' ? '~' : (Array.from(rest.slice(1, 3))[0] ?? '');
      return this.#error(start, `unexpected character after '${sign}': '${shown}'`);
    }
    if (operator !== undefined && (!this.inBraces || /^(=~?|!=|!~)$/.test(operator)))
      return this.#token('operator', operator);
    if (sign === '!') {
      const shown = Array.from(rest.slice(1, 3))[0] ?? '�';
      return this.#error(start, `unexpected character after '!'${where}: '${shown}'`);
    }
    if (sign === ')' && !this.open.includes('(')) {
      return this.#error(start + 1, "unexpected right parenthesis ')'");
    }
    if (sign === ']' && !this.open.includes('[')) return this.#error(start, "unexpected right bracket ']'");
    const known = this.inBraces ? ',}' : '(),[]{';
    if (known.includes(sign)) return this.#token('sign', sign);
    return this.#error(start, `unexpected character${where}: '${sign}'`);
  }
}

function wordType(word: string, scan: Scan): Token['type'] {
  const lower = word.toLowerCase();
  if (scan.inBraces) return 'identifier';
  if (WORD_OPERATORS.has(lower)) return 'operator';
  if (KEYWORDS.has(lower)) return 'keyword';
  return lower === 'inf' || lower === 'nan' ? 'number' : 'identifier';
}

function unexpected(query: string, token: Token, scan: Scan, of: 'query' | 'selector'): ParseError {
  const last = scan.kept.at(-1);
  if (of === 'query' && token.text === '(' && last?.type === 'identifier') {
    return new ParseError(query, last.start, `unknown function with name ${JSON.stringify(last.text)}`);
  }
  if (token.text === ')' && last?.text === ',' && groupingAround(scan) === undefined) {
    return new ParseError(query, last.start, 'trailing commas not allowed in function call args');
  }
  const [context, expected] = expectation(scan);
  const place = context === '' ? '' : ` in ${context}`;
  const wanted = expected === '' ? '' : `, expected ${expected}`;
  return new ParseError(query, token.start, `unexpected ${described(token)}${place}${wanted}`);
}

function described({ type, text }: Token): string {
  const shown = Array.from(text).length > 10 ? `${quoted(text.slice(0, 10))}...` : quoted(text);
  switch (type) {
    case 'end':
      return 'end of input';
    case 'sign':
      return quoted(text);
    case 'operator':
      return text === '=' ? quoted(text) : `<op:${text}>`;
    case 'keyword':
      return `<${text}>`;
    case 'identifier':
      return AGGREGATORS.has(text.toLowerCase()) ? `<aggr:${text}>` : `identifier ${quoted(text)}`;
    default:
      return `${type} ${shown}`;
  }
}

const quoted = (text: string): string => JSON.stringify(text);

/** In what the error is, and what could stand in its place. */
function expectation(scan: Scan): readonly [context: string, expected: string] {
  const last = scan.kept.at(-1);
  if (last === undefined) return ['', ''];
  if (scan.inBraces) return ['label matching', inBraces(last)];
  if (groupingAround(scan) !== undefined) {
    return ['grouping opts', last.type === 'identifier' ? '"," or ")"' : 'label'];
  }
  const word = last.text.toLowerCase();
  if (GROUPING.has(word) && !word.startsWith('group_')) return ['grouping opts', '"("'];
  if (word === 'offset') return ['offset', 'duration'];
  if (word === '@' || (/^(start|end)$/.test(word) && scan.kept.at(-2)?.text === '@')) return ['@', 'timestamp'];
  return afterGrouping(scan) ? ['aggregation', ''] : ['', ''];
}

function inBraces({ type, text }: Token): string {
  if (type === 'identifier') return 'label matching operator';
  if (type === 'operator') return 'string';
  return type === 'string' ? '"," or "}"' : text === '{' || text === ',' ? 'identifier or "}"' : '';
}

/** The keyword whose list of labels is open. */
function groupingAround({ kept, open }: Scan): Token | undefined {
  if (open.at(-1) !== '(') return undefined;
  const keyword = kept[kept.findLastIndex(({ text }) => text === '(') - 1];
  return keyword !== undefined && GROUPING.has(keyword.text.toLowerCase()) ? keyword : undefined;
}

/** Whether `sum by (…)` has just been read, and what is summed has not. */
function afterGrouping({ kept }: Scan): boolean {
  if (kept.at(-1)?.text !== ')') return false;
  const opened = kept.findLastIndex(({ text }) => text === '(');
  const aggregator = kept[opened - 2];
  return /^(by|without)$/i.test(kept[opened - 1]?.text ?? '') && AGGREGATORS.has(aggregator?.text.toLowerCase() ?? '');
}
