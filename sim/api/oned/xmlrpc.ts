/** XML-RPC as it travels: calls, answers and faults, written and read. Mirrors XML-RPC for C/C++ 1.33, which oned is built with. */
import { ByteWriter, type Passage } from './byte-writer.ts';
import { type Element, Malformed, readXml } from './xml-reader.ts';

/** A number is an `i4`, a bigint an `i8`, a map a struct. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | { readonly double: number }
  | { readonly dateTime: string }
  | Uint8Array
  | Pieces
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** A long text that is written piece by piece, each of which is made only then; it is read as one. */
export interface Pieces {
  readonly pieces: Iterable<string | Passage>;
}

export interface Call {
  readonly method: string;
  readonly params: readonly Value[];
}

/** What the library itself refuses, with its code. */
export const FAULT_CODES = {
  TYPE: -501,
  PARSE: -503,
  NO_SUCH_METHOD: -506,
  REQUEST_REFUSED: -507,
  LIMIT_EXCEEDED: -509,
} as const;

export class Fault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\r\n';

/** XML-RPC for C/C++ goes no deeper. */
const MAX_NESTING = 64;

// ---- writing ------------------------------------------------------------------------------------------------------

export function encodeCall({ method, params }: Call): string {
  const to = new ByteWriter();
  to.markup(`${PROLOG}<methodCall>\r\n<methodName>`).text(method).markup('</methodName>\r\n<params>\r\n');
  for (const param of params) {
    to.markup('<param>');
    encodeValue(to, param);
    to.markup('</param>\r\n');
  }
  return to.markup('</params>\r\n</methodCall>\r\n').written();
}

export function encodeAnswer(answer: Value | Fault): string {
  const to = new ByteWriter();
  to.markup(`${PROLOG}<methodResponse>\r\n`);
  if (answer instanceof Fault) {
    to.markup('<fault>\r\n');
    encodeValue(to, faultValue(answer));
    to.markup('\r\n</fault>\r\n');
  } else {
    to.markup('<params>\r\n<param>');
    encodeValue(to, answer);
    to.markup('</param>\r\n</params>\r\n');
  }
  return to.markup('</methodResponse>\r\n').written();
}

/** A fault as the struct that it travels as. */
export const faultValue = ({ code, message }: Fault): Value =>
  new Map<string, Value>([
    ['faultCode', code],
    ['faultString', message],
  ]);

function encodeValue(to: ByteWriter, value: Value): void {
  to.markup('<value>');
  encodeTyped(to, value);
  to.markup('</value>');
}

function encodeTyped(to: ByteWriter, value: Value): void {
  if (typeof value === 'string') to.markup('<string>').text(value).markup('</string>');
  else if (typeof value === 'number') to.markup(`<i4>${value}</i4>`);
  else if (typeof value === 'bigint') to.markup(`<i8>${value}</i8>`);
  else if (typeof value === 'boolean') to.markup(`<boolean>${value ? 1 : 0}</boolean>`);
  else if (value === null) to.markup('<nil/>');
  else if (value instanceof Uint8Array) to.markup(`<base64>${Buffer.from(value).toString('base64')}</base64>`);
  else if (isArray(value)) encodeArray(to, value);
  else if (value instanceof Map) encodeStruct(to, value);
  else if ('pieces' in value) encodePieces(to, value);
  else if ('dateTime' in value) to.markup('<dateTime.iso8601>').text(value.dateTime).markup('</dateTime.iso8601>');
  else if ('double' in value) to.markup(`<double>${value.double}</double>`);
}

const isArray = (value: Value): value is readonly Value[] => Array.isArray(value);

function encodeArray(to: ByteWriter, values: readonly Value[]): void {
  to.markup('<array><data>\r\n');
  for (const value of values) {
    encodeValue(to, value);
    to.markup('\r\n');
  }
  to.markup('</data></array>');
}

function encodeStruct(to: ByteWriter, struct: ReadonlyMap<string, Value>): void {
  to.markup('<struct>\r\n');
  for (const [name, value] of struct) {
    to.markup('<member><name>').text(name).markup('</name>\r\n');
    encodeValue(to, value);
    to.markup('</member>\r\n');
  }
  to.markup('</struct>');
}

function encodePieces(to: ByteWriter, { pieces }: Pieces): void {
  to.markup('<string>');
  for (const piece of pieces) {
    if (typeof piece === 'string') to.text(piece);
    else to.passage(piece);
  }
  to.markup('</string>');
}

// ---- reading ------------------------------------------------------------------------------------------------------

/** @throws Fault */
export function decodeCall(text: string): Call {
  const call = root(text, 'Call');
  if (call.name !== 'methodCall') {
    const found = `Instead, we have a <${call.name}> element.`;
    throw unparsed(`XML-RPC call should be a <methodCall> element.  ${found}`);
  }
  const [name, params] = ['methodName', 'params'].map((wanted) => call.children.find((each) => each.name === wanted));
  if (name === undefined) throw unparsed('<methodCall> has no <methodName> child');
  if (name.children.length > 0) {
    const count = `This one has ${name.children.length} of them.`;
    throw unparsed(`A <methodName> element should not have children.  ${count}`);
  }
  return { method: name.text, params: (params?.children ?? []).map(decodeParam) };
}

/** @throws Fault the one that was answered, or that the answer is none */
export function decodeAnswer(text: string): Value {
  const [body] = root(text, 'Response').children;
  const [first] = body?.children ?? [];
  if (first === undefined) throw unparsed('<methodResponse> has no content');
  if (body?.name !== 'fault') return decodeParam(first);
  const fault = decodeValue(first, MAX_NESTING);
  if (!(fault instanceof Map)) throw unparsed('<fault> has no <struct>');
  throw new Fault(Number(fault.get('faultCode')), String(fault.get('faultString')));
}

function root(text: string, what: string): Element {
  try {
    return readXml(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw unparsed(`${what} is not valid XML.  ${error.message}`);
  }
}

const unparsed = (why: string): Fault => new Fault(FAULT_CODES.PARSE, `Call XML not a proper XML-RPC call.  ${why}`);

function decodeParam(param: Element): Value {
  if (param.name !== 'param') throw unparsed(`<${param.name}> element where <param> expected`);
  const [value] = param.children;
  if (value === undefined || param.children.length > 1) {
    throw unparsed(`<param> element has ${param.children.length} children.  Only one <value> makes sense.`);
  }
  return decodeValue(value, MAX_NESTING);
}

function decodeValue(element: Element, nesting: number): Value {
  if (nesting < 1) throw unparsed('Nested data structure too deep.');
  if (element.name !== 'value') throw unparsed(`<${element.name}> element where <value> expected`);
  const [typed] = element.children;
  if (typed === undefined) return element.text;
  if (element.children.length > 1) {
    throw unparsed(`<value> has ${element.children.length} child elements.  Only zero or one make sense.`);
  }
  if (typed.name === 'struct') return decodeStruct(typed, nesting);
  if (typed.name === 'array') return decodeArray(typed, nesting);
  if (typed.children.length > 0) {
    const count = `but has ${typed.children.length} child elements of its own.`;
    throw unparsed(`The child of a <value> element is neither <array> nor <struct>, ${count}`);
  }
  const decode = SIMPLE.get(typed.name);
  if (decode === undefined) throw unparsed(`Unknown value type -- XML element is named <${typed.name}>`);
  return decode(typed.text);
}

function decodeArray(array: Element, nesting: number): Value {
  const [data] = array.children;
  if (data === undefined || array.children.length > 1) {
    throw unparsed(`<array> element has ${array.children.length} children.  Only one <data> makes sense.`);
  }
  if (data.name !== 'data') throw unparsed(`<array> element has <${data.name}> child.  Only <data> makes sense.`);
  return data.children.map((child) => decodeValue(child, nesting - 1));
}

function decodeStruct(struct: Element, nesting: number): Value {
  const members = new Map<string, Value>();
  for (const member of struct.children) {
    if (member.name !== 'member') throw unparsed(`<${member.name}> element found where only <member> makes sense`);
    const { children } = member;
    if (children.length !== 2) {
      throw unparsed(`<member> element has ${children.length} children.  Only one <name> and one <value> make sense.`);
    }
    const name = children.find((child) => child.name === 'name');
    const value = children.find((child) => child.name === 'value');
    if (name === undefined) throw unparsed('<member> has no <name> child');
    if (value === undefined) throw unparsed('<member> has no <value> child');
    members.set(name.text, decodeValue(value, nesting - 1));
  }
  return members;
}

const INT = { name: 'int', from: -(2n ** 31n), to: 2n ** 31n - 1n };
const I8 = { name: 'i8', from: -(2n ** 63n), to: 2n ** 63n - 1n };

function decodeInteger(text: string, { name, from, to }: typeof INT): bigint {
  if (text === '') throw unparsed(`<${name}> XML element content is empty`);
  if (/^\s/.test(text)) throw unparsed(`<${name}> content '${text}' starts with white space`);
  const [digits] = /^[-+]?\d+/.exec(text) ?? [''];
  // 64 bits have 19 digits: more are out of range, and not worth the time that turning them into a number takes.
  const isLong = digits.length > 21;
  const number = isLong || digits === '' ? 0n : BigInt(digits);
  if (isLong || number < I8.from || number > I8.to) {
    const range = `represents a number beyond the range that XML-RPC allows (${from} - ${to})`;
    throw unparsed(`<${name}> XML element value '${text.slice(0, 100)}' ${range}`);
  }
  if (number < from) {
    throw unparsed(`<${name}> value ${number} is below the range allowed by XML-RPC (minimum is ${from})`);
  }
  if (number > to) {
    throw unparsed(`<${name}> value ${number} is above the range allowed by XML-RPC (maximum is ${to})`);
  }
  const junk = text.slice(digits.length);
  if (digits === '' || junk !== '') throw unparsed(`<${name}> value '${text}' contains non-numerical junk: '${junk}'`);
  return number;
}

const decodeInt = (text: string): Value => Number(decodeInteger(text, INT));
const decodeI8 = (text: string): Value => decodeInteger(text, I8);

function decodeBoolean(text: string): Value {
  if (text === '1' || text === '0') return text === '1';
  const rule = "<boolean> XML element content must be either '0' or '1' according to XML-RPC.";
  throw unparsed(`${rule}  This one has '${text}'`);
}

function decodeDouble(text: string): Value {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(number)) return { double: number };
  throw unparsed(`<double> element value '${text}' is not a valid floating point number.`);
}

const SIMPLE = new Map<string, (text: string) => Value>([
  ['string', (text) => text],
  ['int', decodeInt],
  ['i4', decodeInt],
  ['i1', decodeInt],
  ['i2', decodeInt],
  ['ex.i1', decodeInt],
  ['ex.i2', decodeInt],
  ['i8', decodeI8],
  ['ex.i8', decodeI8],
  ['boolean', decodeBoolean],
  ['nil', () => null],
  ['ex.nil', () => null],
  ['base64', (text) => new Uint8Array(Buffer.from(text, 'base64'))],
  ['dateTime.iso8601', (text) => ({ dateTime: text })],
  ['double', decodeDouble],
]);
