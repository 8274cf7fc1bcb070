// OpenNebula's template language: KEY="value", KEY=[ SUB="value", … ] and its XML form. Mirrors oned's Template class
// and the bison grammar with its messages.

import { remembered } from '../../kernel/remembered.ts';
import { copied } from './copied.ts';
import { Scanner } from './scanner.ts';
import { SubAttributes } from './sub-attributes.ts';
import { SyntaxProblem } from './syntax-problem.ts';
import { parseTemplateXml, templateXml } from './template-xml.ts';

export type Vector = ReadonlyMap<string, string>;

export interface Attribute {
  readonly name: string;
  readonly value: string | Vector;
}

const NOTHING: readonly Attribute[] = [];

/** Ordered attributes: sorted by name, those of one name in the order they came, as in oned's multimap. */
export class Template {
  /** Never changed, but replaced. */
  #attributes: readonly Attribute[];

  constructor(attributes?: Iterable<Attribute>) {
    const all: Attribute[] = [];
    if (attributes !== undefined) for (const attribute of attributes) all.push(canonical(attribute));
    this.#attributes = all.length === 0 ? NOTHING : sorted(all);
  }

  static revive(cells: readonly (string | Vector)[]): Template {
    const template = new Template();
    const attributes: Attribute[] = [];
    for (let at = 0; at < cells.length; at += 2) {
      attributes.push({ name: cells[at] as string, value: cells[at + 1] as string | Vector });
    }
    template.#attributes = attributes;
    return template;
  }

  /** name, value, name, value, … */
  state(): readonly (string | Vector)[] {
    return this.#attributes.flatMap(({ name, value }) => [name, value]);
  }

  /** Reads either form; throws SyntaxProblem. */
  static parse(text: string): Template {
    return Template.#submitted((XML.test(text) ? parseXml(text) : parseText(new Scanner(text))).sort(byName));
  }

  /**
   * What a text says with attributes of one word each written behind it, a line for each; `undefined` where only the
   * whole tells. The text is read once, however many templates begin with it.
   */
  static continued(text: string, more: Template): Template | undefined {
    const before = beginning(text);
    const plain = more.#attributes.every(({ value }) => typeof value === 'string' && /^\w+$/.test(value));
    return before && plain ? Template.#submitted(interleaved(before, more.#attributes)) : undefined;
  }

  /** A name loses its trailing blanks, as in oned. */
  static #submitted(attributes: readonly Attribute[]): Template {
    const template = new Template();
    template.#attributes = attributes;
    const name = template.get('NAME');
    if (name === undefined) return template;
    let end = name.length;
    while (end > 0 && ' \f\n\r\t\v'.includes(name.charAt(end - 1))) end--;
    if (end < name.length) template.set('NAME', name.slice(0, end));
    return template;
  }

  get size(): number {
    return this.#attributes.length;
  }

  /** What it holds now. This array never changes, so whatever follows from the template can be remembered by it. */
  get contents(): readonly Attribute[] {
    return this.#attributes;
  }

  [Symbol.iterator](): Iterator<Attribute> {
    return this.#attributes[Symbol.iterator]();
  }

  /** The first single value of that name. */
  get(name: string): string | undefined {
    for (const attribute of this.#attributes) {
      if (attribute.name === name && typeof attribute.value === 'string') return attribute.value;
    }
    return undefined;
  }

  /** The first vector of that name. */
  vector(name: string): Vector | undefined {
    for (const attribute of this.#attributes) {
      if (attribute.name === name && typeof attribute.value !== 'string') return attribute.value;
    }
    return undefined;
  }

  vectors(name: string): Vector[] {
    const vectors: Vector[] = [];
    for (const attribute of this.#attributes) {
      if (attribute.name === name && typeof attribute.value !== 'string') vectors.push(attribute.value);
    }
    return vectors;
  }

  has(name: string): boolean {
    for (const attribute of this.#attributes) if (attribute.name === name) return true;
    return false;
  }

  /** Removes all of that name, adds one. */
  set(name: string, value: string | Vector): void {
    this.remove(attributeName(name));
    this.add(name, value);
  }

  add(name: string, value: string | Vector): void {
    const attribute = canonical({ name, value });
    let at = this.#attributes.length;
    while (at > 0 && (this.#attributes[at - 1]?.name ?? '') > attribute.name) at--;
    this.#attributes = this.#attributes.toSpliced(at, 0, attribute);
  }

  /** Removes all of that name and gives them back. */
  remove(name: string): Attribute[] {
    if (!this.has(name)) return [];
    const removed = this.#attributes.filter((attribute) => attribute.name === name);
    this.#attributes = only(this.#attributes, (attribute) => attribute.name !== name);
    return removed;
  }

  /** oned's update with append: for every name in the other all old ones go, then the other's come; empty vectors do not. */
  append(other: Template): void {
    const all: Attribute[] = [];
    const own = this.#attributes;
    let at = 0;
    for (const attribute of other.#attributes) {
      for (; at < own.length && (own[at] as Attribute).name <= attribute.name; at++) {
        if ((own[at] as Attribute).name !== attribute.name) all.push(own[at] as Attribute);
      }
      if (typeof attribute.value === 'string' || attribute.value.size > 0) all.push(attribute);
    }
    for (; at < own.length; at++) all.push(own[at] as Attribute);
    this.#attributes = all;
  }

  /** Those that are wanted, in the same order. */
  filter(wanted: (attribute: Attribute) => boolean): Template {
    const filtered = new Template();
    filtered.#attributes = only(this.#attributes, wanted);
    return filtered;
  }

  clone(): Template {
    const copy = new Template();
    copy.#attributes = this.#attributes;
    return copy;
  }
}

/** Those that are wanted, in an array without the room for more that filter leaves: a large cloud has several for each VM. */
const only = (attributes: readonly Attribute[], wanted: (attribute: Attribute) => boolean): Attribute[] =>
  attributes.filter(wanted).slice();

/** Most come in order. */
const sorted = (attributes: Attribute[]): Attribute[] =>
  attributes.every(({ name }, i) => i === 0 || (attributes[i - 1] as Attribute).name <= name)
    ? attributes
    : attributes.sort(byName);

const byName = (a: Attribute, b: Attribute) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Both sorted by name, and so are they together; of one name those of `one` come first. */
function interleaved(one: readonly Attribute[], other: readonly Attribute[]): Attribute[] {
  const all: Attribute[] = [];
  let at = 0;
  for (const attribute of other) {
    for (let next = one[at]; next !== undefined && next.name <= attribute.name; next = one[++at]) all.push(next);
    all.push(attribute);
  }
  for (; at < one.length; at++) all.push(one[at] as Attribute);
  return all;
}

// ---- names --------------------------------------------------------------------------------------------------------

/** Names as oned keeps them, by the spelling they came in. Few names make up all templates, so they are shared. */
const NAMES_KEPT = 4096;
const attributeNames = new Map<string, string>();
const subAttributeNames = new Map<string, string>();

/** Upper case; what may not start an XML name gets the prefix ONE_ (oned adds it to `xml…` only once it copies the attribute). */
function attributeName(spelling: string): string {
  return shared(attributeNames, spelling, (upper) => (/^(?![A-Z_]|$)|^XML/.test(upper) ? `ONE_${upper}` : upper));
}

function subAttributeName(spelling: string): string {
  return shared(subAttributeNames, spelling, (upper) => upper);
}

function shared(names: Map<string, string>, spelling: string, derive: (upper: string) => string): string {
  const known = names.get(spelling);
  if (known !== undefined) return known;
  const name = derive(spelling.replace(/[a-z]+/g, (letters) => letters.toUpperCase()));
  if (names.size >= NAMES_KEPT || spelling.length > 64) return name;
  const copy = keyOf(name);
  names.set(keyOf(spelling), copy);
  return copy;
}

/**
 * A copy, since a slice would keep the whole text alive that it was cut from; as keys of objects are kept, which V8 tells
 * apart by their addresses: most of what is done with templates is to look for names.
 */
const keyOf = (name: string): string => Object.keys({ [name]: null })[0] ?? '';

function canonical(attribute: Attribute): Attribute {
  const name = attributeName(attribute.name);
  const value = compact(attribute.value);
  return name === attribute.name && value === attribute.value ? attribute : { name, value };
}

function compact(value: string | Vector): string | Vector {
  return typeof value === 'string' || value instanceof SubAttributes ? value : new SubAttributes(value);
}

// ---- XML form -----------------------------------------------------------------------------------------------------

/** A text of this form begins so. */
const XML = /^\s*</;

function parseXml(text: string): Attribute[] {
  const attributes = parseTemplateXml(text);
  if (attributes === undefined) throw new SyntaxProblem('XML Template malformed.');
  return attributes.map(canonical);
}

// ---- text form ----------------------------------------------------------------------------------------------------

/** What stands at the beginning of many texts, sorted by name; `undefined` where it depends on what follows. */
const beginning = remembered((text): readonly Attribute[] | undefined => {
  if (XML.test(text) || text.includes('\0')) return undefined;
  const scanner = new Scanner(`${text}\n`);
  try {
    const attributes = parseText(scanner).sort(byName);
    return scanner.isOpen ? undefined : attributes;
  } catch (problem) {
    if (problem instanceof SyntaxProblem) return undefined;
    throw problem;
  }
});

function parseText(scanner: Scanner): Attribute[] {
  const attributes: Attribute[] = [];
  for (let token = scanner.next(); token !== '$end'; token = scanner.next()) {
    if (token !== 'VARIABLE') throw scanner.unexpected(token, '$end');
    const name = attributeName(scanner.text());
    token = scanner.next();
    if (token === 'EQUAL_EMPTY') attributes.push({ name, value: '' });
    else if (token === 'EQUAL') attributes.push(attribute(name, parseValue(scanner)));
    else throw scanner.unexpected(token, 'EQUAL', 'EQUAL_EMPTY');
  }
  return attributes;
}

/** Those of VMs from one template are alike, and share what they have in common. */
const kept = remembered((line): Attribute => {
  const at = line.indexOf('=');
  return { name: attributeName(line.slice(0, at)), value: copied(line.slice(at + 1)) };
});

const LONGEST_KEPT = 32;

const attribute = (name: string, value: string | Vector): Attribute =>
  typeof value === 'string' && value.length <= LONGEST_KEPT ? kept(`${name}=${value}`) : { name, value };

function parseValue(scanner: Scanner): string | Vector {
  const token = scanner.next();
  if (token === 'STRING') return scanner.value();
  if (token === 'OBRACKET') return parseVector(scanner);
  // It would end the CDATA section that every value is printed in.
  if (token === 'CCDATA') throw new SyntaxProblem('');
  throw scanner.unexpected(token, 'OBRACKET', 'CCDATA', 'STRING');
}

function parseVector(scanner: Scanner): Vector {
  const entries: [string, string][] = [];
  let token = scanner.next();
  if (token === 'CBRACKET') return new SubAttributes(entries);
  if (token !== 'VARIABLE') throw scanner.unexpected(token, 'CBRACKET', 'VARIABLE');
  for (;;) {
    const name = subAttributeName(scanner.text());
    token = scanner.next();
    if (token !== 'EQUAL') throw scanner.unexpected(token, 'EQUAL');
    token = scanner.next();
    if (token !== 'STRING') throw scanner.unexpected(token, 'STRING');
    entries.push([name, scanner.value()]);
    token = scanner.next();
    if (token === 'CBRACKET') return new SubAttributes(entries);
    if (token !== 'COMMA') throw scanner.unexpected(token, 'COMMA', 'CBRACKET');
    token = scanner.next();
    if (token !== 'VARIABLE') throw scanner.unexpected(token, 'VARIABLE');
  }
}

/**
 * Text that parses back to the same template: the text form, or the XML form where the text form has no words for it.
 * Throws SyntaxProblem where neither has, as for a control character beside a value that ends in a blank and a backslash.
 */
export function templateText(template: Template): string {
  const lines: string[] = [];
  for (const { name, value } of template) {
    const text = typeof value === 'string' ? valueText(value) : vectorText(value);
    if (text === undefined || !isName(name)) return xmlText(template);
    lines.push(`${name}=${text}\n`);
  }
  return lines.join('');
}

function xmlText(template: Template): string {
  const xml = templateXml(template);
  if (xml === undefined) throw new SyntaxProblem('no form of a template can carry these values');
  return xml;
}

/** One sub-attribute a line: a CDATA end in one would swallow the others on its line. */
function vectorText(vector: Vector): string | undefined {
  const entries: string[] = [];
  for (const [name, value] of vector) {
    const text = valueText(value);
    if (text === undefined || !isName(name)) return undefined;
    entries.push(`${name}=${text}`);
  }
  return entries.length === 0 ? '[]' : `[\n  ${entries.join(',\n  ')} ]`;
}

/** A backslash at the end would escape the closing quote, so such a value goes without quotes if it can. */
function valueText(value: string): string | undefined {
  const escaped = value.replaceAll('"', '\\"');
  if (value.includes('\0') || (value.includes(']]>') && !value.includes('\n'))) return undefined;
  if (!value.endsWith('\\')) return `"${escaped}"`;
  return /^[^=#\s,[\]]+$/.test(value) ? escaped : undefined;
}

function isName(name: string): boolean {
  return /^[A-Z0-9_]+$/.test(name);
}
