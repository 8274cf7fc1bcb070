import { describe, expect, it } from 'vitest';
import { parseTemplateXml } from './template-xml.ts';

function plain(text: string) {
  return parseTemplateXml(text)?.map(({ name, value }) => [
    name,
    typeof value === 'string' ? value : Object.fromEntries(value),
  ]);
}

describe('the XML form', () => {
  it.each<[string, string, unknown]>([
    [
      'single values and vectors',
      '<TEMPLATE><A>v</A><V><X>1</X></V></TEMPLATE>',
      [
        ['A', 'v'],
        ['V', { X: '1' }],
      ],
    ],
    ['any root', '<?xml version="1.0"?>\n<!-- c --><R>\n  <A>v</A>\n</R>\n', [['A', 'v']]],
    ['CDATA, joined where it is split', '<T><A><![CDATA[<&]]]]><![CDATA[>]]></A></T>', [['A', '<&]]>']]],
    ['an empty CDATA section as an empty value', '<T><A><![CDATA[]]></A></T>', [['A', '']]],
    ['no empty element', '<T><A/><B></B><C><X/></C></T>', [['C', {}]]],
    ['no mixture of text and CDATA', '<T><A>x<![CDATA[y]]></A></T>', []],
    ['the five entities and numbers', '<T><A>&amp;&lt;&gt;&quot;&apos;&#65;&#x1F600;</A></T>', [['A', '&<>"\'A😀']]],
    ['line ends as newlines', '<T><A>a\r\nb\rc&#13;</A></T>', [['A', 'a\nb\nc\r']]],
    ['the last of two equal sub-attributes', '<T><V><X>1</X><X>2</X></V></T>', [['V', { X: '2' }]]],
    ['tags with attributes', '<T a="1" b=\'&lt;\'><A c = "2" >v</A ></T >', [['A', 'v']]],
    [
      'a document',
      '<TEMPLATE><NAME>d1</NAME><BODY><![CDATA[{"a":1}]]></BODY></TEMPLATE>',
      [
        ['NAME', 'd1'],
        ['BODY', '{"a":1}'],
      ],
    ],
  ])('reads %s', (_, text, attributes) => {
    expect(plain(text)).toEqual(attributes);
  });

  it.each([
    '<TEMPLATE><NAME>d1',
    '<T><NAME><a>&</NAME></T>',
    '<T><BODY><![CDATA[{"X":"]]>"}]]></BODY></T>',
    '<T></U>',
    '<T/><T/>',
    '<T/>x',
    '<T>&nbsp;</T>',
    '<T>&#0;</T>',
    '<T>&#xd800;</T>',
    '<T>\u0001</T>',
    '<T a="1" a="2"/>',
    '<T a="<"/>',
    '<T a=1/>',
    '<T a="1"b="2"/>',
    '<T><!-- a -- b --></T>',
    '<T><?xml version="1.0"?></T>',
    '<1/>',
    '<!DOCTYPE T [<!ENTITY a "b">]><T><A>&a;</A></T>',
    '<',
    '<T',
    `${'<a>'.repeat(257)}${'</a>'.repeat(257)}`,
    `<T><A>${'x'.repeat(10_000_001)}</A></T>`,
  ])('refuses %.60s', (text) => {
    expect(parseTemplateXml(text)).toBeUndefined();
  });

  it('takes 256 levels', () => {
    expect(parseTemplateXml(`${'<a>'.repeat(256)}${'</a>'.repeat(256)}`)).toBeDefined();
  });
});
