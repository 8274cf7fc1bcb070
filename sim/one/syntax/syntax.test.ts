import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attribute, Template, templateText, type Vector } from './syntax.ts';
import { SyntaxProblem } from './syntax-problem.ts';

/** A template as plain data, in its order. */
function plain(template: Template): [string, string | Record<string, string>][] {
  return Array.from(template, ({ name, value }) => [
    name,
    typeof value === 'string' ? value : Object.fromEntries(value),
  ]);
}

function refusal(text: string): string {
  try {
    Template.parse(text);
  } catch (problem) {
    if (problem instanceof SyntaxProblem) return problem.refusal;
    throw problem;
  }
  return 'none';
}

describe('the text form', () => {
  const examples: [string, string, ReturnType<typeof plain>][] = [
    [
      'attributes on their own lines',
      'CPU=1\nVCPU="2"\n',
      [
        ['CPU', '1'],
        ['VCPU', '2'],
      ],
    ],
    [
      'attributes on one line',
      'A=1 B=2',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    [
      'blanks around the equals sign',
      'A = 1\nB\t=\t2',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    [
      'names in upper case, sorted',
      'name=x\nCpu=1',
      [
        ['CPU', '1'],
        ['NAME', 'x'],
      ],
    ],
    [
      'repeated names in their order',
      'B=2\nA=1\nB=1',
      [
        ['A', '1'],
        ['B', '2'],
        ['B', '1'],
      ],
    ],
    [
      'the prefix of names that XML does not take',
      '1a=1\nxml=2\n_x=3',
      [
        ['ONE_1A', '1'],
        ['ONE_XML', '2'],
        ['_X', '3'],
      ],
    ],
    [
      'comments and empty lines',
      '# one\n\nA=1 # two\n  # three\nB=2',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    ['quoted values over lines', 'A="x\n# y, ] z"', [['A', 'x\n# y, ] z']]],
    ['escaped quotes, and no other escape', 'A="say \\"hi\\" \\n"', [['A', 'say "hi" \\n']]],
    ['escaped quotes without quotes around', 'A=\\"hi\\"', [['A', '"hi"']]],
    ['an unterminated quote as part of the value', 'NAME="a', [['NAME', '"a']]],
    ['quotes that a character follows as part of the value', 'A="x";', [['A', '"x";']]],
    [
      'an empty value before the end of a line',
      'A=\nB=""',
      [
        ['A', ''],
        ['B', ''],
      ],
    ],
    ['a vector', 'NIC = [ network_id = 0,\n  IP="10.0.0.1" ]', [['NIC', { NETWORK_ID: '0', IP: '10.0.0.1' }]]],
    [
      'a vector on one line with others',
      'A=[B=1,C=2]D=3',
      [
        ['A', { B: '1', C: '2' }],
        ['D', '3'],
      ],
    ],
    ['an empty vector', 'A=[ ]', [['A', {}]]],
    ['the first of two equal sub-attributes', 'A=[B=1,b=2]', [['A', { B: '1' }]]],
    [
      'a carriage return as part of a value',
      'A=1\r\nB=2',
      [
        ['A', '1\r'],
        ['B', '2'],
      ],
    ],
    [
      'a name without its trailing blanks',
      'NAME="a b \t\n"\nX=" x "',
      [
        ['NAME', 'a b'],
        ['X', ' x '],
      ],
    ],
    ['nothing', '', []],
    ['the text before a zero byte', 'A=1\n\0B=2', [['A', '1']]],
    [
      'a device description',
      'DEVICE_INFO=[LATENCY_TO_PE="0.5",\nGEOGRAPHIC_LOCATION="Madrid"]\n',
      [['DEVICE_INFO', { LATENCY_TO_PE: '0.5', GEOGRAPHIC_LOCATION: 'Madrid' }]],
    ],
  ];
  it.each(examples)('reads %s', (_, text, attributes) => {
    expect(plain(Template.parse(text))).toEqual(attributes);
  });

  // Recorded from oned 6.10.5. Where it named a line beyond the text, it had read memory that it had never written: the
  // count from 0 is what it answers with clean memory.
  const recorded: [string, string][] = [
    ['A=[', 'syntax error, unexpected $end, expecting CBRACKET or VARIABLE at line 0, columns 3:4'],
    ['X=[', 'syntax error, unexpected $end, expecting CBRACKET or VARIABLE at line 0, columns 3:4'],
    ['CPU=', 'syntax error, unexpected $end, expecting OBRACKET or CCDATA or STRING at line 0, columns 4:5'],
    ['MEMORY=', 'syntax error, unexpected $end, expecting OBRACKET or CCDATA or STRING at line 0, columns 7:8'],
    ['VCPU=\nCPU=', 'syntax error, unexpected $end, expecting OBRACKET or CCDATA or STRING at line 1, columns 10:11'],
    [
      'MEMORY=\nVCPU=\nCPU=',
      'syntax error, unexpected $end, expecting OBRACKET or CCDATA or STRING at line 2, columns 18:19',
    ],
  ];
  it.each(recorded)('refuses %j as oned does', (text, message) => {
    expect(refusal(text)).toBe(`Parse error: ${message}`);
  });

  it('refuses the end of a CDATA section without a reason', () => {
    expect(refusal('A="x]]>"')).toBe('Parse error.');
    expect(refusal('A=[\nB="x]]>"]')).toMatch(/unexpected CCDATA, expecting STRING/);
  });

  it.each(['A-B=1', 'A.B=1', 'é=1', 'A=[B=1,]', 'A=[B=[C=1]]', 'A=[B=1 C=2]', 'A=1 # no newline', 'A=[B=]', 'A'])(
    'refuses %j',
    (text) => {
      expect(refusal(text)).toMatch(/^Parse error: syntax error, unexpected /);
    },
  );
});

describe('both forms', () => {
  // The answers of OpenNebula's own scanner, grammar and XML library to random texts, with lines counted from 0.
  const golden: { text: string; attributes?: unknown; error?: string }[] = JSON.parse(
    readFileSync(new URL('../../../fixtures/golden/template-syntax.json', import.meta.url), 'utf8'),
  );
  it.each(golden)('agree with oned on $text', ({ text, attributes, error }) => {
    if (error === undefined) expect(plain(Template.parse(text))).toEqual(attributes);
    else expect(refusal(text)).toBe(error === '' ? 'Parse error.' : `Parse error: ${error}`);
  });

  const fragments = fc.constantFrom(
    ...[
      'A',
      'NAME',
      '=',
      '[',
      ']',
      ',',
      '"',
      '\\',
      '\\"',
      '#',
      '\n',
      ' ',
      ']]>',
      '<',
      '>',
      '</',
      '/>',
      '<A>',
      '</A>',
      '&',
      '&amp;',
      '<![CDATA[',
      '<!--',
      '-->',
      '<?',
      '\0',
      '\u0001',
      '\ud800',
      'é',
    ],
  );
  const texts = fc.oneof(
    fc.array(fragments, { maxLength: 30 }).map((parts) => parts.join('')),
    fc.array(fragments, { maxLength: 20 }).map((parts) => `<T>${parts.join('')}</T>`),
    fc.string({ unit: 'binary' }),
  );

  it('never fail in another way than by a SyntaxProblem, whatever the text', () => {
    fc.assert(
      fc.property(texts, (text) => typeof refusal(text) === 'string'),
      { seed: 1, numRuns: 3000 },
    );
  });

  const hostile: [string, string][] = [
    ['comment signs', '#'.repeat(500_000)],
    ['escaped quotes', `A="${'\\" '.repeat(200_000)}`],
    ['blanks after a lost value', `A=,${' '.repeat(500_000)}`],
    ['values on one line', 'A=1 '.repeat(200_000)],
    ['sub-attributes', `A=[${'B=1,'.repeat(100_000)}C=1]`],
    ['a name that ends in blanks', `NAME="${' x'.repeat(100_000)}${' '.repeat(100_000)}"`],
    ['open elements', '<a>'.repeat(300_000)],
    ['elements', `<a>${'<b>1</b>'.repeat(50_000)}</a>`],
    ['CDATA sections', `<a><b>${'<![CDATA[x]]>'.repeat(50_000)}</b></a>`],
    ['blanks in a tag', `<a${' '.repeat(500_000)}`],
    ['ampersands', `<a>${'&'.repeat(500_000)}</a>`],
    ['entities of its own', '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><T><A>&b;</A></T>'],
  ];
  it.each(hostile)('take a text full of %s in linear time', (_, text) => {
    expect(typeof refusal(text)).toBe('string');
  });
});

describe('templateText', () => {
  const names = fc
    .stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/)
    .filter((name) => name !== 'NAME' && !name.startsWith('XML'));
  const values = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '\\',
      'a b\\',
      '"',
      '\\"',
      '"\\',
      'x]]>y',
      ']]>\n',
      '\n]]>',
      '[',
      ']',
      ',',
      '#',
      '=',
      '\r\n',
      'é',
      '<&>',
    ),
    fc.string({ unit: 'grapheme' }),
  );
  const vectors: fc.Arbitrary<Vector> = fc.dictionary(names, values).map((entries) => new Map(Object.entries(entries)));
  const attributes: fc.Arbitrary<Attribute> = fc.record({ name: names, value: fc.oneof(values, vectors) });

  it('parses back to the same template', () => {
    fc.assert(
      fc.property(fc.array(attributes), (list) => {
        const template = new Template(list);
        expect(plain(Template.parse(templateText(template)))).toEqual(plain(template));
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('writes a line for each attribute and each sub-attribute', () => {
    expect(templateText(Template.parse('NIC=[IP=10.0.0.1,NETWORK_ID=0]\nA="1 \\" 2"'))).toBe(
      'A="1 \\" 2"\nNIC=[\n  IP="10.0.0.1",\n  NETWORK_ID="0" ]\n',
    );
  });

  it('takes the XML form for what the text form cannot carry', () => {
    expect(templateText(new Template([{ name: 'A', value: 'x ]]> y' }]))).toBe(
      '<TEMPLATE><A>x ]]&gt; y</A></TEMPLATE>',
    );
  });

  it('refuses what neither form can carry', () => {
    const template = new Template([{ name: 'A', value: '\u0001 \\' }]);
    expect(() => templateText(template)).toThrow(SyntaxProblem);
  });
});

describe('a text that is continued', () => {
  const pieces = fc.constantFrom('A', 'NAME', '=', '"', '\\"', ' ', '\n', '[', ']', ',', '#', ']]>', 'x', '<', '\0');
  const more = new Template([
    { name: 'B', value: '7' },
    { name: 'NAME', value: 'last' },
  ]);

  it('says what it says as a whole, or only the whole tells', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (all) => {
        const text = all.join('');
        const continued = Template.continued(text, more);
        if (continued !== undefined)
          expect(plain(continued)).toEqual(plain(Template.parse(`${text}\nB=7\nNAME="last"`)));
      }),
      { seed: 1, numRuns: 5000 },
    );
  });

  it.each([
    ['attributes', 'NIC=[NETWORK_ID=0]\nA = "1 \\" 2"', true],
    ['nothing', '', true],
    ['a quote that what follows may close', 'A="1', false],
    ['no attributes', 'A', false],
    ['XML', '<T><A>1</A></T>', false],
  ])('is read without the rest: %s', (_, text, alone) => {
    expect(Template.continued(text, more) !== undefined).toBe(alone);
  });

  it('is not continued with values of more than a word', () => {
    expect(Template.continued('A=1', new Template([{ name: 'B', value: 'two words' }]))).toBeUndefined();
  });
});

describe('a template', () => {
  const template = () => Template.parse('A=1\nB=[X=1]\nB=2\nB=[X=2]\nC=3');

  it('gives the first value and every vector of a name', () => {
    expect(template().get('B')).toBe('2');
    expect(template().vector('B')?.get('X')).toBe('1');
    expect(
      template()
        .vectors('B')
        .map((vector) => vector.get('X')),
    ).toEqual(['1', '2']);
    expect([template().get('Z'), template().vector('A'), template().vectors('Z')]).toEqual([undefined, undefined, []]);
    expect([template().has('B'), template().has('Z'), template().size]).toEqual([true, false, 5]);
  });

  it('sets one attribute in place of all of its name', () => {
    const changed = template();
    changed.set(
      'b',
      new Map([
        ['Y', '1'],
        ['X', '0'],
      ]),
    );
    expect(plain(changed)).toEqual([
      ['A', '1'],
      ['B', { X: '0', Y: '1' }],
      ['C', '3'],
    ]);
  });

  it('adds behind those of the same name', () => {
    const changed = template();
    changed.add('A', '0');
    changed.add('B', '9');
    expect(plain(changed).map(([name]) => name)).toEqual(['A', 'A', 'B', 'B', 'B', 'B', 'C']);
    expect(plain(changed).slice(0, 2)).toEqual([
      ['A', '1'],
      ['A', '0'],
    ]);
    expect(plain(changed)[5]).toEqual(['B', '9']);
  });

  it('removes all of a name and gives them back', () => {
    const changed = template();
    expect(changed.remove('B').map(({ value }) => typeof value)).toEqual(['object', 'string', 'object']);
    expect(changed.remove('B')).toEqual([]);
    expect(plain(changed)).toEqual([
      ['A', '1'],
      ['C', '3'],
    ]);
  });

  it('appends another by replacing the names it has; an empty vector only removes', () => {
    const changed = template();
    changed.append(Template.parse('B=4\nB=5\nC=[]\nD=6'));
    expect(plain(changed)).toEqual([
      ['A', '1'],
      ['B', '4'],
      ['B', '5'],
      ['D', '6'],
    ]);
  });

  it('clones to one that changes alone', () => {
    const original = template();
    const copy = original.clone();
    copy.set('A', '9');
    copy.remove('B');
    expect(plain(original)).toEqual(plain(template()));
    expect(plain(copy)).toEqual([
      ['A', '9'],
      ['C', '3'],
    ]);
  });

  it('stays sorted, whatever is added', () => {
    const pairs = fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C', 'D'), fc.string()));
    fc.assert(
      fc.property(pairs, (list) => {
        const added = new Template();
        for (const [name, value] of list) added.add(name, value);
        const sorted = ['A', 'B', 'C', 'D'].flatMap((name) => list.filter(([other]) => other === name));
        expect(plain(added)).toEqual(sorted);
        expect(plain(new Template(Array.from(list, ([name, value]) => ({ name, value }))))).toEqual(sorted);
      }),
      { seed: 1 },
    );
  });
});
