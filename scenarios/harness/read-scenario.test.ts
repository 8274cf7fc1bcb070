import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SMALL, scenarios } from './generator.ts';
import { readScenario } from './read-scenario.ts';
import { faultsOf, SCENARIO_SCHEMA, writeScenario } from './scenario.ts';

const problemsOf = async (content: string): Promise<string[]> => {
  try {
    await readScenario(content, 'a.json');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};

const wholly = (steps: string, faults = ''): string => `{"v":1,\n"steps":[\n${steps}],\n"faults":[\n${faults}]}`;
const CREATE = '{"id":"s1","op":"create","bind":"r1"}';

describe('a mistake is named with its place, and what was probably meant', () => {
  test.each<[string, string, string]>([
    ['a key', wholly('{"id":"s1","op":"create","bnid":"r1"}'), 'a.json:3:26: unknown key "bnid", did you mean "bind"?'],
    ['an operation', wholly('{"id":"s1","op":"crate"}'), 'a.json:3:17: "crate" is not create, get'],
    ['no operation', wholly('{"id":"s1"}'), 'a.json:3:1: "op" is missing'],
    ['a missing key', wholly('{"id":"s1","op":"get"}'), 'a.json:3:1: "ref" is missing'],
    [
      'a reference',
      wholly(`${CREATE},\n{"id":"s2","op":"get","ref":"r2"}`),
      'a.json:4:29: no create before it binds "r2"',
    ],
    [
      'an event',
      wholly(`${CREATE},\n{"id":"s2","op":"advance","ms":1,"after":{"event":"s3.RUNNING"}}`),
      'a.json:4:51: there is no event "s3.RUNNING", did you mean "s1.RUNNING"?',
    ],
    [
      'an event of no form',
      wholly('{"id":"s1","op":"heal","after":{"event":"later"}}'),
      'a.json:3:41: expected an event such as start',
    ],
    ['itself', wholly('{"id":"s1","op":"heal","after":{"event":"s1.sent"}}'), 'a.json:3:41: it cannot wait for itself'],
    [
      'one that waits for it',
      wholly(
        `${CREATE},\n{"id":"s2","op":"heal","after":{"event":"s3.sent"}},\n{"id":"s3","op":"heal","after":{"event":"s2.answered"}}`,
      ),
      'a.json:4:41: they wait in a circle: s2 waits for s3, s3 waits for s2',
    ],
    [
      'one that follows it',
      wholly('{"id":"s1","op":"heal","after":{"event":"s2.sent"}},\n{"id":"s2","op":"heal"}'),
      'a.json:3:41: they wait in a circle: s1 waits for s2, s2 follows s1',
    ],
    [
      'a longer circle, with a fault in it',
      wholly(
        '{"id":"s1","op":"create","bind":"r1","after":{"event":"f1.began"}},\n{"id":"s2","op":"heal"}',
        '{"id":"f1","kind":"hostDown","ref":"r1","after":{"event":"s2.sent"}}',
      ),
      'a.json:3:55: they wait in a circle: s1 waits for f1, f1 waits for s2, s2 follows s1',
    ],
    ['a name given twice', wholly(`${CREATE},\n{"id":"s1","op":"heal"}`), 'a.json:4:7: "s1" is used twice'],
    [
      'a binding given twice',
      wholly(`${CREATE},\n{"id":"s2","op":"create","bind":"r1"}`),
      'a.json:4:33: r1 is bound twice',
    ],
    [
      'a number',
      wholly(CREATE, '{"id":"f1","kind":"driver","do":"fail","skip":-1}'),
      'a.json:5:47: expected a whole number of at least 0, not -1',
    ],
    [
      'a time that will never be over',
      wholly('{"id":"s1","op":"advance","ms":9007199254740991}'),
      'a.json:3:32: "ms" is in milliseconds, ten years at most: expected a whole number from 0 to 315360000000, not 9007199254740991',
    ],
    [
      'such a delay',
      wholly('{"id":"s1","op":"heal","after":{"event":"start","delayMs":315360000001}}'),
      'a.json:3:59: "delayMs" is in milliseconds, ten years at most',
    ],
    [
      'the action of a driver',
      wholly(CREATE, '{"id":"f1","kind":"driver","do":"fail","action":"deplyo"}'),
      'a.json:5:49: nothing is called "deplyo", did you mean "deploy"?',
    ],
    [
      'a delay that no driver may have',
      wholly(CREATE, '{"id":"f1","kind":"driver","do":"delay","ms":31536000001}'),
      'a.json:5:46: expected a number from 0 to 31536000000',
    ],
    [
      'the operation of a fault, told from an event or not',
      wholly(
        CREATE,
        '{"id":"f1","kind":"declared","after":{"event":"s1.sent"},\n"fault":{"selector":{"layer":"vm","operation":"deplyo"},"effect":{"do":"fail"}}}',
      ),
      'a.json:6:47: nothing is called "deplyo", did you mean "deploy"?',
    ],
    [
      'what there is not in the world when it begins',
      wholly(
        CREATE,
        '{"id":"f1","kind":"declared",\n"fault":{"selector":{"layer":"vm","user":"alcie"},"effect":{"do":"fail"}}}',
      ),
      'a.json:6:42: nothing is called "alcie", did you mean "alice"?',
    ],
    [
      'a fault that is over before it begins',
      wholly(
        CREATE,
        '{"id":"f1","kind":"declared",\n"fault":{"selector":{"layer":"host"},"effect":{"do":"down"},"trigger":{"window":{"to":"2020-01-01T00:00:00Z"}}}}',
      ),
      'a.json:6:81: it is over: it is 2026-01-01T00:00:00.000Z now',
    ],
    [
      'a reference of a fault that is of no runtime',
      wholly(
        CREATE,
        '{"id":"f1","kind":"declared","ref":"r1",\n"fault":{"selector":{"layer":"api"},"effect":{"do":"lock"}}}',
      ),
      'a.json:5:36: it means nothing to a fault of the layer api',
    ],
    [
      'a reference of a fault to nothing',
      wholly(CREATE, '{"id":"f1","kind":"hostDown","ref":"none"}'),
      'a.json:5:36: no create in the file binds "none"',
    ],
    [
      'a host where a virtual machine is meant',
      wholly(CREATE, '{"id":"f1","kind":"operator","action":"stop","ref":"r1.host"}'),
      'a.json:5:52: expected the name that a step has bound, such as r1, not "r1.host"',
    ],
    [
      'a stream that nothing opens',
      wholly(`${CREATE},\n{"id":"s2","op":"ws.open","ref":"s"}`),
      'a.json:4:33: no metrics.synch before it binds "s"',
    ],
    [
      'a runtime where a stream is meant',
      wholly(`${CREATE},\n{"id":"s2","op":"ws.open","ref":"r1"}`),
      'a.json:4:33: no metrics.synch before it binds "r1", which is a runtime',
    ],
    [
      'a stream where a runtime is meant',
      wholly('{"id":"s1","op":"metrics.synch","metrics":[],"bind":"w"},\n{"id":"s2","op":"get","ref":"w"}'),
      'a.json:4:29: no create before it binds "w", which is a stream',
    ],
    [
      'a query of nothing',
      wholly('{"id":"s1","op":"prometheus.query","metric":"vm_up","ref":"none"}'),
      'a.json:3:59: no create before it binds "none"',
    ],
    [
      'two bodies',
      wholly('{"id":"s1","op":"create","send":{},"sendText":""}'),
      'a.json:3:1: send and sendText cannot both be the body',
    ],
    [
      'a path that is none',
      wholly('{"id":"s1","op":"request","method":"GET","path":"version"}'),
      'a.json:3:49: expected a path such as /server/version, not "version"',
    ],
    [
      'a header that cannot be sent',
      wholly('{"id":"s1","op":"request","method":"GET","path":"/","headers":{"X Y":"a"}}'),
      'a.json:3:64: expected the name of a header, not "X Y"',
    ],
    [
      'a pointer that is none',
      wholly('{"id":"s1","op":"version","expect":{"body":{"NAME":1}}}'),
      'a.json:3:45: expected a JSON pointer such as /SERVERLESS_RUNTIME/NAME, not "NAME"',
    ],
    [
      'a delay without a time',
      wholly(CREATE, '{"id":"f1","kind":"driver","do":"delay"}'),
      'a.json:5:1: "ms" is missing',
    ],
    ['a version', '{"v":2,"steps":[]}', 'a.json:1:6: expected 1, not 2'],
    ['a list', '{"v":1,"steps":{}}', 'a.json:1:16: expected a list, not keys with values'],
    ['no JSON', '{"v":1,', 'a.json:1:'],
    ['nothing', '', 'a.json:1:1: expected keys with values, not null'],
  ])('%s', async (_, content, problem) => {
    const [first = 'no problem'] = await problemsOf(content);
    expect(first.slice(0, problem.length)).toBe(problem);
  });

  test('all mistakes at once', async () => {
    expect(
      await problemsOf(wholly('{"id":"s1","op":"get","ref":"r1"},\n{"id":"s1","op":"put","ref":"r1"}')),
    ).toHaveLength(3);
  });
});

describe('a fault', () => {
  const faults = (...of: object[]): string => wholly(CREATE, of.map((each) => JSON.stringify(each)).join(',\n'));
  const DOWN = { kind: 'hostDown', ref: 'r1' };
  const onHost = (host: string, more = {}): object => ({
    ...{ kind: 'declared', ...more },
    fault: { selector: { layer: 'host', host }, effect: { do: 'down' } },
  });

  test('without a name gets the next one that nothing else has', async () => {
    const content = faults(DOWN, { ...DOWN, id: 'f2', after: { event: 'f1.ended' } }, DOWN).replaceAll('s1', 'f3');
    const scenario = await readScenario(content, 'a.json');
    expect(faultsOf(scenario).map(({ id }) => id)).toEqual(['f1', 'f2', 'f4']);
  });

  test('may name what is there only once its event has come, or on a server of another world', async () => {
    expect(await problemsOf(faults(onHost('mine')))).toHaveLength(1);
    expect(await problemsOf(faults(onHost('mine', { after: { event: 's1.sent' } })))).toEqual([]);
    await readScenario(faults(onHost('mine')), 'a.json', true);
  });
});

test('what the generator makes is a scenario, in the words of its schema too, and reads back as it was', async () => {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(SCENARIO_SCHEMA);
  await fc.assert(
    fc.asyncProperty(scenarios(SMALL), async (scenario) => {
      const content = writeScenario(scenario);
      expect(await readScenario(content, 'a.json')).toEqual(JSON.parse(JSON.stringify(scenario)));
      expect(validate(JSON.parse(content)), JSON.stringify(validate.errors)).toBe(true);
    }),
    { seed: 1, numRuns: 30 },
  );
});

test('the schema in fixtures/ is the one that is read by', async () => {
  const file = new URL('../../fixtures/scenarios/schema.json', import.meta.url);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(SCENARIO_SCHEMA);
});
