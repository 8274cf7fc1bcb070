// The XML form of a template, <TEMPLATE><A>v</A><V><X>1</X></V></TEMPLATE>: well-formed XML without a document type, so
// without entities but the five and the numeric ones. Mirrors what oned makes of libxml2's tree, with libxml2's limits.

import type { Attribute } from './syntax.ts';

const MAX_DEPTH = 256;
const MAX_TEXT_LENGTH = 10_000_000;

type Node = Element | { readonly kind: 'text' | 'cdata'; readonly text: string } | { readonly kind: 'other' };

interface Element {
  readonly kind: 'element';
  readonly name: string;
  readonly children: Node[];
}

class Malformed extends Error {}

/** The attributes of the root element's children, or undefined where the text is not well-formed. */
export function parseTemplateXml(text: string): Attribute[] | undefined {
  let root: Element;
  try {
    root = parseDocument(text);
  } catch (problem) {
    if (problem instanceof Malformed) return undefined;
    throw problem;
  }
  const attributes: Attribute[] = [];
  for (const node of root.children) {
    const value = node.kind === 'element' ? (singleValue(node) ?? vectorValue(node)) : undefined;
    if (node.kind === 'element' && value !== undefined) attributes.push({ name: node.name, value });
  }
  return attributes;
}

/** Nothing but one text or one CDATA section, which may be empty; an empty element is no attribute. */
function singleValue({ children }: Element): string | undefined {
  return children.length === 1 ? leadingText(children) : undefined;
}

/** Of each element inside, the text it starts with; the last of a name wins here, and names keep their case. */
function vectorValue(element: Element): ReadonlyMap<string, string> | undefined {
  if (!element.children.some((node) => node.kind === 'element')) return undefined;
  const entries = new Map<string, string>();
  for (const node of element.children) {
    const text = node.kind === 'element' ? leadingText(node.children) : undefined;
    if (node.kind === 'element' && text !== undefined) entries.set(node.name, text);
  }
  return entries;
}

function leadingText([first]: readonly Node[]): string | undefined {
  return first?.kind === 'text' || first?.kind === 'cdata' ? first.text : undefined;
}

const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const NAME = /[A-Za-z_:\u00c0-\u{effff}][-.\w:\u00b7\u00c0-\u{effff}]*/uy;
const SPACE = /[ \t\n]*/y;
const DECLARATION = /<\?xml(?=[ \t\n])[^<>]*\?>/y;

function parseDocument(source: string): Element {
  if (FORBIDDEN.test(source)) throw new Malformed();
  const text = source
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .trimStart();
  const open: Element[] = [];
  let root: Element | undefined;
  let at = take(DECLARATION, text, 0);
  while (at < text.length) {
    const parent = open.at(-1);
    if (text[at] !== '<') {
      const end = text.indexOf('<', at);
      const raw = text.slice(at, end < 0 ? text.length : end);
      if (parent !== undefined) parent.children.push({ kind: 'text', text: content(raw) });
      else if (raw.trim() !== '') throw new Malformed();
      at += raw.length;
    } else if (text.startsWith('<![CDATA[', at)) {
      const end = indexOf(text, ']]>', at);
      if (parent === undefined || end - at > MAX_TEXT_LENGTH) throw new Malformed();
      // libxml2 joins adjacent sections.
      const before = parent.children.at(-1)?.kind === 'cdata' ? parent.children.pop() : undefined;
      const joined = before?.kind === 'cdata' ? before.text : '';
      parent.children.push({ kind: 'cdata', text: joined + text.slice(at + 9, end) });
      at = end + 3;
    } else if (text.startsWith('<!--', at)) {
      const end = indexOf(text, '--', at + 4);
      if (text[end + 2] !== '>') throw new Malformed();
      parent?.children.push({ kind: 'other' });
      at = end + 3;
    } else if (text.startsWith('<?', at)) {
      const target = text.slice(at + 2, take(NAME, text, at + 2));
      if (target === '' || target.toLowerCase() === 'xml') throw new Malformed();
      parent?.children.push({ kind: 'other' });
      at = indexOf(text, '?>', at) + 2;
    } else if (text.startsWith('</', at)) {
      const end = take(NAME, text, at + 2);
      if (parent === undefined || text.slice(at + 2, end) !== parent.name) throw new Malformed();
      at = closing('>', text, end);
      open.pop();
    } else {
      if (parent === undefined && root !== undefined) throw new Malformed();
      const tag = parseTag(text, at);
      root ??= tag.element;
      parent?.children.push(tag.element);
      if (tag.isOpen) open.push(tag.element);
      if (open.length > MAX_DEPTH) throw new Malformed();
      at = tag.end;
    }
  }
  if (root === undefined || open.length > 0) throw new Malformed();
  return root;
}

function parseTag(text: string, start: number): { element: Element; isOpen: boolean; end: number } {
  let at = take(NAME, text, start + 1);
  const name = text.slice(start + 1, at);
  if (name === '') throw new Malformed();
  const names = new Set<string>();
  for (;;) {
    const from = take(SPACE, text, at);
    const end = take(NAME, text, from);
    if (end === from) break;
    const attribute = text.slice(from, end);
    if (from === at || names.has(attribute)) throw new Malformed();
    names.add(attribute);
    const open = take(SPACE, text, closing('=', text, end));
    const quote = text[open];
    if (quote !== '"' && quote !== "'") throw new Malformed();
    const close = indexOf(text, quote, open + 1);
    const value = text.slice(open + 1, close);
    if (value.includes('<')) throw new Malformed();
    decode(value);
    at = close + 1;
  }
  const slash = take(SPACE, text, at);
  const isOpen = text[slash] !== '/';
  if (text[isOpen ? slash : slash + 1] !== '>') throw new Malformed();
  return { element: { kind: 'element', name, children: [] }, isOpen, end: isOpen ? slash + 1 : slash + 2 };
}

function content(raw: string): string {
  if (raw.includes(']]>') || raw.length > MAX_TEXT_LENGTH) throw new Malformed();
  return decode(raw);
}

const ENTITIES = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decode(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(/&(?:([a-z]{2,4});|#([0-9]{1,9});|#x([0-9A-Fa-f]{1,8});)?/g, (_, entity, decimal, hexadecimal) => {
    if (typeof entity === 'string') return ENTITIES.get(entity) ?? malformed();
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hexadecimal), 16);
    if (!(code > 0 && code <= 0x10ffff)) return malformed();
    const character = String.fromCodePoint(code);
    return FORBIDDEN.test(character) ? malformed() : character;
  });
}

function malformed(): never {
  throw new Malformed();
}

function take(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function closing(character: string, text: string, at: number): number {
  const end = take(SPACE, text, at);
  if (text[end] !== character) throw new Malformed();
  return end + 1;
}

function indexOf(text: string, part: string, from: number): number {
  const at = text.indexOf(part, from);
  if (at < 0) throw new Malformed();
  return at;
}

/** The XML form, or undefined where a value has characters that XML has not. */
export function templateXml(attributes: Iterable<Attribute>): string | undefined {
  let xml = '<TEMPLATE>';
  for (const { name, value } of attributes) {
    xml += tagged(name, typeof value === 'string' ? valueXml(value) : vectorXml(value));
  }
  return FORBIDDEN.test(xml) ? undefined : `${xml}</TEMPLATE>`;
}

/** Only an element makes a vector, and an empty one adds nothing to it. */
function vectorXml(vector: ReadonlyMap<string, string>): string {
  if (vector.size === 0) return '<_/>';
  return Array.from(vector, ([name, value]) => tagged(name, valueXml(value))).join('');
}

function tagged(name: string, inner: string): string {
  return `<${name}>${inner}</${name}>`;
}

/** A CDATA section keeps an empty value; what it cannot hold is escaped. */
function valueXml(text: string): string {
  if (!/]]>|\r/.test(text)) return `<![CDATA[${text}]]>`;
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}
