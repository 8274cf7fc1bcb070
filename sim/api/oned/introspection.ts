/** The methods that every server of XML-RPC for C/C++ has, whatever it serves. Mirrors its `registry.c` and `system_method.c`. */
import { METHODS } from './methods.ts';
import { requiredTypes, requireString } from './parameters.ts';
import { type Call, FAULT_CODES, Fault, faultValue, type Pieces, type Value } from './xmlrpc.ts';

type Dispatch = (call: Call) => Value;

/** A method of the server's own. */
type SystemMethod = (params: readonly Value[], dispatch: Dispatch) => Value;

/** Most that one multicall may ask for, and may get, in characters: it would otherwise multiply what a body may cost. */
const MOST_CALLS = 1000;
const LONGEST_ANSWER = 64 * 1024 * 1024;

const named = (name: string): string => {
  if (Object.hasOwn(METHODS, name) || SYSTEM_METHODS.has(name)) return name;
  throw new Fault(FAULT_CODES.NO_SUCH_METHOD, `Method '${name}' does not exist`);
};

const rowOf = (name: string): { readonly takes: string } | undefined =>
  Object.hasOwn(METHODS, name) ? METHODS[name as keyof typeof METHODS] : undefined;

function signatureOf(name: string): Value {
  const row = rowOf(named(name));
  return row === undefined ? 'undef' : [['array', ...requiredTypes(row.takes)]];
}

export const SYSTEM_METHODS: ReadonlyMap<string, SystemMethod> = new Map<string, SystemMethod>([
  ['system.listMethods', () => [...SYSTEM_METHODS.keys(), ...Object.keys(METHODS)]],
  [
    'system.methodExist',
    ([name]) => typeof name === 'string' && (SYSTEM_METHODS.has(name) || rowOf(name) !== undefined),
  ],
  ['system.methodHelp', (params) => help(named(requireString(params, 0)))],
  ['system.methodSignature', (params) => signatureOf(requireString(params, 0))],
  ['system.multicall', multicall],
]);

/** oned has a sentence for each of its methods, which nobody reads. */
const help = (_name: string): string => 'No help is available for this method.';

function multicall([calls]: readonly Value[], dispatch: Dispatch): Value {
  if (!Array.isArray(calls)) throw new Fault(FAULT_CODES.TYPE, 'Parameter that is supposed to be an array is not');
  if (calls.length > MOST_CALLS) throw new Fault(FAULT_CODES.LIMIT_EXCEEDED, `More than ${MOST_CALLS} calls at once`);
  let length = 0;
  return calls.map((each: Value): Value => {
    try {
      if (length > LONGEST_ANSWER) throw new Fault(FAULT_CODES.LIMIT_EXCEEDED, 'The answer is too long');
      const answer = whole(dispatch(callIn(each)));
      length += lengthOf(answer);
      return [answer];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return faultValue(error);
    }
  });
}

/** Pieces are put together at once, so that every call of a multicall shows what was there when its turn came. */
const whole = (answer: Value): Value =>
  Array.isArray(answer) ? answer.map((value: Value) => (isPieces(value) ? [...value.pieces].join('') : value)) : answer;

const isPieces = (value: Value): value is Pieces => typeof value === 'object' && value !== null && 'pieces' in value;

const lengthOf = (answer: Value): number =>
  Array.isArray(answer) ? answer.reduce((all, value) => all + (typeof value === 'string' ? value.length : 0), 0) : 0;

function callIn(value: Value): Call {
  const [method, params] = value instanceof Map ? [value.get('methodName'), value.get('params')] : [];
  if (typeof method !== 'string' || !Array.isArray(params)) {
    throw new Fault(FAULT_CODES.TYPE, 'A call is a struct of methodName, a string, and params, an array');
  }
  if (method === 'system.multicall') {
    throw new Fault(FAULT_CODES.REQUEST_REFUSED, 'Recursive system.multicall strictly forbidden');
  }
  return { method, params };
}
