/**
 * Reads a small XML document into elements, in time and memory linear in its size: no document types, so no entities
 * but the five and the numeric ones, and no external ones. Mirrors the expat that XML-RPC for C/C++ brings along, with
 * its messages.
 */

export interface Element {
  readonly name: string;
  readonly children: Element[];
  /** All character data directly inside, put together. */
  text: string;
}

/** A document that is not well-formed, or goes deeper than anyone needs. */
export class Malformed extends Error {}

/** Deeper than the values of XML-RPC can go. */
const MAX_DEPTH = 256;

const SAMPLE = 40;

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what XML does not have
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const NAME = /[A-Za-z_:\u0080-\uffff][-.\w:\u0080-\uffff]*/y;
const SPACE = /[ \t\n]*/y;
const DECLARATION = /<\?xml[ \t\n][^<>]*\?>/y;

/** @throws Malformed */
export function readXml(source: string): Element {
  const text = source.includes('\r') ? source.replace(/\r\n?/g, '\n') : source;
  const start = take(DECLARATION, text, text.charCodeAt(0) === 0xfeff ? 1 : 0);
  const root = prolog(text, start);
  const end = content(text, root);
  epilog(text, end);
  return root.element;
}

interface Tag {
  readonly element: Element;
  readonly isOpen: boolean;
  readonly end: number;
}

/** What comes before the root element, and its tag. */
function prolog(text: string, start: number): Tag {
  const at = skipMisc(text, start);
  if (at === text.length) throw new Malformed('no element found');
  if (text[at] !== '<') throw new Malformed(matches(NAME, text, at) ? 'syntax error' : 'not well-formed');
  if (text.startsWith('<!DOCTYPE', at)) throw new Malformed('document types are not accepted');
  if (!matches(NAME, text, at + 1)) throw new Malformed('not well-formed');
  return tag(text, at) ?? fail('not well-formed');
}

function epilog(text: string, end: number): void {
  if (skipMisc(text, end) < text.length) throw new Malformed('junk after document element');
}

/** Blanks, comments and processing instructions. */
function skipMisc(text: string, from: number): number {
  for (let at = take(SPACE, text, from); ; at = take(SPACE, text, at)) {
    const end = miscEnd(text, at);
    if (end === at) return at;
    if (end === undefined) throw new Malformed('not well-formed');
    at = end;
  }
}

/** Where a comment or processing instruction ends; its start when there is none; `undefined` when it does not end. */
function miscEnd(text: string, at: number): number | undefined {
  if (text.startsWith('<!--', at)) {
    const end = text.indexOf('--', at + 4);
    return end >= 0 && text[end + 2] === '>' ? end + 3 : undefined;
  }
  if (text.startsWith('<?', at)) {
    const end = text.indexOf('?>', at + 2);
    return end < 0 || /^xml$/i.test(text.slice(at + 2, take(NAME, text, at + 2))) ? undefined : end + 2;
  }
  return at;
}

/** Reads what is inside the root element. Returns where that ends. */
function content(text: string, root: Tag): number {
  const open: Element[] = root.isOpen ? [root.element] : [];
  let at = root.end;
  for (let parent = open.at(-1); parent !== undefined; parent = open.at(-1)) {
    if (at === text.length) throw inContent(text, at, 'no element found');
    if (text[at] !== '<') {
      const next = text.indexOf('<', at);
      const end = next < 0 ? text.length : next;
      parent.text += decoded(text.slice(at, end), text, at);
      at = end;
    } else if (text.startsWith('</', at)) {
      const end = take(NAME, text, at + 2);
      const close = take(SPACE, text, end);
      if (text[close] !== '>') throw inContent(text, at, close === text.length ? 'unclosed token' : 'not well-formed');
      if (text.slice(at + 2, end) !== parent.name) throw inContent(text, at, 'mismatched tag');
      open.pop();
      at = close + 1;
    } else if (text.startsWith('<![CDATA[', at)) {
      const end = text.indexOf(']]>', at);
      if (end < 0) throw inContent(text, at, 'unclosed CDATA section');
      parent.text += plain(text.slice(at + 9, end), text, at);
      at = end + 3;
    } else if (text.startsWith('<!--', at) || text.startsWith('<?', at)) {
      at = miscEnd(text, at) ?? fail(sample(text, at, 'not well-formed'));
    } else {
      const child = tag(text, at) ?? fail(sample(text, at, 'not well-formed'));
      parent.children.push(child.element);
      if (child.isOpen) open.push(child.element);
      if (open.length > MAX_DEPTH) throw inContent(text, at, 'elements are nested too deeply');
      at = child.end;
    }
  }
  return at;
}

/** A start tag or an empty element's; attributes must be in order, and are not kept. */
function tag(text: string, start: number): Tag | undefined {
  let at = take(NAME, text, start + 1);
  const name = text.slice(start + 1, at);
  if (name === '') return undefined;
  for (;;) {
    const from = take(SPACE, text, at);
    const end = take(NAME, text, from);
    if (end === from) break;
    const equals = take(SPACE, text, end);
    const open = take(SPACE, text, equals + 1);
    const quote = text[open];
    if (from === at || text[equals] !== '=' || (quote !== '"' && quote !== "'")) return undefined;
    const close = text.indexOf(quote, open + 1);
    if (close < 0 || text.slice(open, close).includes('<')) return undefined;
    at = close + 1;
  }
  const slash = take(SPACE, text, at);
  const isOpen = text[slash] !== '/';
  const end = isOpen ? slash : slash + 1;
  return text[end] === '>' ? { element: { name, children: [], text: '' }, isOpen, end: end + 1 } : undefined;
}

// ---- character data -----------------------------------------------------------------------------------------------

const NUMERIC = /&(?:#([0-9]{1,9})|#x([0-9A-Fa-f]{1,8})|lt|gt|amp|quot|apos);/g;
const REFERENCE = /&(?:#[0-9]{1,9}|#x[0-9A-Fa-f]{1,8}|[A-Za-z_][-.\w]*);/y;
const NAMED = new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
  ['&amp;', '&'],
]);
/** Those but `&lt;` and `&gt;`, which most are. */
const LONGER = Array.from(NAMED, ([reference, character]) => ({ reference, code: character.charCodeAt(0) })).slice(2);

function decoded(raw: string, text: string, at: number): string {
  plain(raw, text, at);
  if (raw.includes(']]>')) throw inContent(text, at + raw.indexOf(']]>'), 'not well-formed');
  if (!raw.includes('&')) return raw;
  return plainly(raw) ?? anyhow(raw, text, at);
}

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const LETTER_T = 0x74;

/**
 * Most texts are ASCII with nothing but the five entities: those are read in a third of the time, which counts where a
 * document is the text of another and so a third of it are entities. `undefined` for any other text.
 */
function plainly(raw: string): string | undefined {
  const bytes = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code >= 128) return undefined;
    if (code !== AMPERSAND) {
      bytes[length++] = code;
      continue;
    }
    const [third, fourth] = [raw.charCodeAt(i + 2), raw.charCodeAt(i + 3)];
    if (third === LETTER_T && fourth === SEMICOLON) {
      const second = raw[i + 1];
      if (second !== 'l' && second !== 'g') return undefined;
      bytes[length++] = second === 'l' ? 0x3c : 0x3e;
      i += 3;
    } else {
      const entity = LONGER.find(({ reference }) => raw.startsWith(reference, i));
      if (entity === undefined) return undefined;
      bytes[length++] = entity.code;
      i += entity.reference.length - 1;
    }
  }
  return bytes.toString('latin1', 0, length);
}

function anyhow(raw: string, text: string, at: number): string {
  for (let from = raw.indexOf('&'); from >= 0; from = raw.indexOf('&', from + 1)) {
    const end = take(REFERENCE, raw, from);
    if (end === from) throw inContent(text, at + from, 'not well-formed');
    const reference = raw.slice(from, end);
    if (reference[1] !== '#' && !NAMED.has(reference)) throw inContent(text, at + from, 'undefined entity');
  }
  return raw.replace(NUMERIC, (reference, decimal?: string, hexadecimal?: string) => {
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    if (Number.isNaN(code)) return NAMED.get(reference) ?? '';
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    const character = isCharacter ? String.fromCodePoint(code) : '\0';
    if (FORBIDDEN.test(character)) throw inContent(text, at, 'reference to invalid character number');
    return character;
  });
}

function plain(raw: string, text: string, at: number): string {
  if (FORBIDDEN.test(raw)) throw inContent(text, at + raw.search(FORBIDDEN), 'not well-formed');
  return raw;
}

// ---- what is wrong ------------------------------------------------------------------------------------------------

const inContent = (text: string, at: number, why: string): Malformed => new Malformed(sample(text, at, why));

function sample(text: string, at: number, why: string): string {
  const printable = text.slice(at, at + SAMPLE).replace(/[^ -~]/g, '~');
  return `Invalid XML "content".  Problem with token at '${printable}...': ${why}`;
}

function fail(message: string): never {
  throw new Malformed(message);
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

/** Where a pattern that starts here ends; here when it does not match. */
function take(pattern: RegExp, text: string, at: number): number {
  return matches(pattern, text, at) ? pattern.lastIndex : at;
}
