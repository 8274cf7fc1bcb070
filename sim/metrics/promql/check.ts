/** What is written well and still makes no sense: types, numbers of arguments, matching. Mirrors Prometheus' checkAST. */
import { type Aggregation, type Binary, type Call, type Expression, ParseError, type ValueType } from './expression.ts';
import { AGGREGATIONS, signatureOf } from './functions.ts';

const COMPARISONS: readonly string[] = ['==', '!=', '<', '>', '<=', '>='];
const SETS: readonly string[] = ['and', 'or', 'unless'];

export const isComparison = (operator: string): boolean => COMPARISONS.includes(operator);
export const isSet = (operator: string): boolean => SETS.includes(operator);

/** The type of an expression, which is known without carrying it out. */
export function typeOf(expression: Expression): ValueType {
  switch (expression.is) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'paren':
      return typeOf(expression.inner);
    case 'negation':
      return typeOf(expression.operand);
    case 'selector':
      return expression.rangeMs === null ? 'instant vector' : 'range vector';
    case 'call':
      return signatureOf(expression.name)?.gives ?? 'instant vector';
    case 'aggregation':
      return 'instant vector';
    default:
      return isScalar(expression.left) && isScalar(expression.right) ? 'scalar' : 'instant vector';
  }
}

const isScalar = (expression: Expression): boolean => typeOf(expression) === 'scalar';

/** @throws ParseError */
export function check(query: string, expression: Expression): void {
  new Checker(query).check(expression);
}

class Checker {
  readonly #query: string;

  constructor(query: string) {
    this.#query = query;
  }

  /** Gives the type, as {@link typeOf}, so that no part is looked at twice. */
  check(expression: Expression): ValueType {
    switch (expression.is) {
      case 'paren':
        return this.check(expression.inner);
      case 'negation': {
        const type = this.check(expression.operand);
        if (type !== 'scalar' && type !== 'instant vector') {
          const allowed = 'unary expression only allowed on expressions of type scalar or instant vector';
          this.#refuse(expression.start, `${allowed}, got "${type}"`);
        }
        return type;
      }
      case 'call':
        return this.#call(expression);
      case 'aggregation':
        return this.#aggregation(expression);
      case 'binary':
        return this.#binary(expression);
      default:
        return typeOf(expression);
    }
  }

  #refuse(at: number, message: string): never {
    throw new ParseError(this.#query, at, message);
  }

  #expect(expression: Expression, expected: ValueType, where: string): void {
    const type = this.check(expression);
    if (type !== expected) this.#refuse(expression.start, `expected type ${expected} in ${where}, got ${type}`);
  }

  #call({ name, args, start }: Call): ValueType {
    const signature = signatureOf(name);
    if (signature === undefined) this.#refuse(start, `the function ${name} is not supported`);
    const { takes, optional, gives } = signature;
    const call = `in call to ${JSON.stringify(name)}, got ${args.length}`;
    if (optional === 0 && args.length !== takes.length) {
      this.#refuse(start, `expected ${takes.length} argument(s) ${call}`);
    }
    if (args.length < takes.length - optional) {
      this.#refuse(start, `expected at least ${takes.length - optional} argument(s) ${call}`);
    }
    if (args.length > takes.length) this.#refuse(start, `expected at most ${takes.length} argument(s) ${call}`);
    for (const [i, arg] of args.entries()) {
      this.#expect(arg, takes[i] ?? 'scalar', `call to function ${JSON.stringify(name)}`);
    }
    return gives;
  }

  #aggregation({ operator, args, start }: Aggregation): ValueType {
    const parameter = AGGREGATIONS.get(operator);
    if (parameter === undefined) this.#refuse(start, `the aggregation ${operator} is not supported`);
    if (args.length === 0) this.#refuse(start, 'no arguments for aggregate expression provided');
    const wanted = parameter === null ? 1 : 2;
    if (args.length !== wanted) {
      const expected = `expected ${wanted}, got ${args.length}`;
      this.#refuse(start, `wrong number of arguments for aggregate expression provided, ${expected}`);
    }
    const vector = args[wanted - 1];
    if (vector !== undefined) this.#expect(vector, 'instant vector', 'aggregation expression');
    const given = args[wanted - 2];
    if (parameter !== null && given !== undefined) this.#expect(given, parameter, 'aggregation parameter');
    return 'instant vector';
  }

  #binary({ operator, operatorAt, left, right, bool, matching, start }: Binary): ValueType {
    const types = [this.check(left), this.check(right)] as const;
    const scalars = types.filter((type) => type === 'scalar').length;
    if (bool && !isComparison(operator)) {
      this.#refuse(operatorAt, 'bool modifier can only be used on comparison operators');
    }
    if (isComparison(operator) && !bool && scalars === 2) {
      this.#refuse(operatorAt, 'comparisons between scalars must use BOOL modifier');
    }
    if (isSet(operator) && matching !== null && matching.group !== null) {
      this.#refuse(start, `no grouping allowed for ${JSON.stringify(operator)} operation`);
    }
    const both = matching?.on === true && matching.include.find((label) => matching.labels.includes(label));
    if (both) this.#refuse(operatorAt, `label ${JSON.stringify(both)} must not occur in ON and GROUP clause at once`);
    for (const [i, operand] of [left, right].entries()) {
      if (types[i] !== 'scalar' && types[i] !== 'instant vector') {
        this.#refuse(operand.start, 'binary expression must contain only scalar and instant vector types');
      }
    }
    if (scalars > 0 && matching !== null && (matching.labels.length > 0 || matching.group !== null)) {
      this.#refuse(start, 'vector matching only allowed between instant vectors');
    }
    if (scalars > 0 && isSet(operator)) {
      this.#refuse(start, `set operator ${JSON.stringify(operator)} not allowed in binary scalar expression`);
    }
    return scalars === 2 ? 'scalar' : 'instant vector';
  }
}
