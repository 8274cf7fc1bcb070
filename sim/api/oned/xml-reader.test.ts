import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Malformed, readXml } from './xml-reader.ts';

describe('a document', () => {
  it('may have a declaration, comments, instructions and attributes, which are not kept', () => {
    const text = `\ufeff<?xml version="1.0"?>\r\n<!-- a --><?b c?><d e='1' f = "2"><!--g--><h/>\r\ni</d> <!-- j -->\n`;
    expect(readXml(text)).toEqual({ name: 'd', text: '\ni', children: [{ name: 'h', text: '', children: [] }] });
  });

  it.each([
    ['', 'no element found'],
    [' \n ', 'no element found'],
    ['text', 'syntax error'],
    ['{}', 'not well-formed'],
    ['<1/>', 'not well-formed'],
    ['<a', 'not well-formed'],
    ['<a b/>', 'not well-formed'],
    ['<a b="<"/>', 'not well-formed'],
    ['<a b="1"c="2"/>', 'not well-formed'],
    ['<!-- a', 'not well-formed'],
    ['<!-- a -- b --><c/>', 'not well-formed'],
    ['<?xml?><?xml version="1.0"?><a/>', 'not well-formed'],
    ['<a/><b/>', 'junk after document element'],
    ['<a/>b', 'junk after document element'],
    ['<a>', `Invalid XML "content".  Problem with token at '...': no element found`],
    ['<a></b>', `Invalid XML "content".  Problem with token at '</b>...': mismatched tag`],
    ['<a></a', `Invalid XML "content".  Problem with token at '</a...': unclosed token`],
    ['<a><![CDATA[b</a>', `Invalid XML "content".  Problem with token at '<![CDATA[b</a>...': unclosed CDATA section`],
    ['<a>]]></a>', `Invalid XML "content".  Problem with token at ']]></a>...': not well-formed`],
    ['<a>\u0001</a>', `Invalid XML "content".  Problem with token at '~</a>...': not well-formed`],
    ['<a>&b;</a>', `Invalid XML "content".  Problem with token at '&b;</a>...': undefined entity`],
    ['<a>&</a>', `Invalid XML "content".  Problem with token at '&</a>...': not well-formed`],
    [
      '<a>&#0;</a>',
      `Invalid XML "content".  Problem with token at '&#0;</a>...': reference to invalid character number`,
    ],
    ['<a>&#xd800;</a>', `reference to invalid character number`],
    ['<a><!-- b </a>', 'not well-formed'],
  ])('%j is malformed', (text, why) => {
    expect(() => readXml(text)).toThrow(Malformed);
    expect(() => readXml(text)).toThrow(why);
  });
});

describe('a hostile document', () => {
  it.each([
    ['a billion laughs', '<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "ha">]><a>&b;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['an external document type', '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>'],
  ])('with %s is refused before anything of it is read', (_, text) => {
    expect(() => readXml(text)).toThrow('document types are not accepted');
  });

  it.each([
    ['of a million elements in one another', '<a>'.repeat(1_000_000)],
    ['of a million open comments', `<a>${'<!--'.repeat(1_000_000)}`],
    ['of a million ampersands', `<a>${'&'.repeat(1_000_000)}</a>`],
    ['of a million attributes without an end', `<a ${'b="1" '.repeat(1_000_000)}`],
    ['with one endless attribute', `<a b="${'1'.repeat(4_000_000)}`],
    ['with one endless name', `<${'a'.repeat(4_000_000)}`],
    ['with a million blanks in a tag', `<a${' '.repeat(4_000_000)}`],
  ])('%s is refused', (_, text) => {
    expect(() => readXml(text)).toThrow(Malformed);
  });

  it('is either read or malformed, whatever it is', () => {
    const scrap = fc.constantFrom(
      '<a>',
      '</a>',
      '<b/>',
      '<',
      '>',
      '&',
      '&lt;',
      '&#65;',
      ';',
      '<![CDATA[',
      ']]>',
      '"',
      ' x="1"',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(scrap, fc.string({ maxLength: 3 })), { maxLength: 30 }), (scraps) => {
        try {
          readXml(`<a>${scraps.join('')}`);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
