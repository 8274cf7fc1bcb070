import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { ENGINE_DEVIATIONS } from '../sim/api/engine/deviations.ts';
import { GATEKEEPER_DEVIATIONS } from '../sim/api/gatekeeper/deviations.ts';
import { type Contract, loadContracts } from './contract.ts';
import { parseDeviations } from './deviations.ts';

const contracts = await loadContracts();

function contractOf(file: string): Contract {
  const contract = contracts.find((each) => each.file === file);
  if (contract === undefined) throw new Error(`no contract ${file}`);
  return contract;
}

describe.each([
  ['engine.yaml', ENGINE_DEVIATIONS],
  ['gatekeeper.yaml', GATEKEEPER_DEVIATIONS],
])('the deviations of %s', (file, switches) => {
  const { deviations } = contractOf(file);

  test('are the switches of the simulator, one by one', () => {
    expect(deviations.map(({ id }) => id)).toEqual([...switches]);
  });

  test('have a probe that can tell on from off', () => {
    for (const { id, probe } of deviations) {
      const telling = probe.steps.filter((step) => 'otherwise' in step && 'expect' in step);
      expect(telling.length, id).toBeGreaterThan(0);
      for (const step of telling) {
        if ('otherwise' in step) expect(step.otherwise, id).not.toEqual('expect' in step ? step.expect : undefined);
      }
    }
  });
});

test('every recording that is named as evidence exists', async () => {
  const recordings = await readFile(new URL('../fixtures/golden/engine.ndjson', import.meta.url), 'utf8');
  const cases = new Set(
    recordings
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line).case),
  );
  const named = contractOf('engine.yaml').deviations.flatMap(({ evidence }) =>
    evidence.flatMap((each) => ('recording' in each ? [each.recording] : [])),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !cases.has(name))).toEqual([]);
});

describe('a bad row is refused by its id and key', async () => {
  const file = 'engine-1.3.3.yaml';
  const text = await readFile(new URL(`deviations/${file}`, import.meta.url), 'utf8');

  /** The file with one row, changed. */
  function withRow(change: Record<string, unknown>): () => unknown {
    const { deviations, ...head } = parse(text) as { deviations: Record<string, unknown>[] };
    const table = { ...head, deviations: [{ ...deviations[1], ...change }] };
    return () => parseDeviations(file, stringify(table), contractOf('engine.yaml'));
  }

  const accepts = (...rows: unknown[]): Record<string, unknown> => ({ effect: { accepts: rows } });
  const steps = (...rows: unknown[]): Record<string, unknown> => ({ probe: { steps: rows } });

  test.each<[string, Record<string, unknown>, string]>([
    ['a key that is missing', { upstream: undefined }, "row put-invalid-500: / must have required property 'upstream'"],
    [
      'a key that does not exist',
      { colour: 'red' },
      'row put-invalid-500: / must NOT have additional properties (colour)',
    ],
    ['an id in capitals', { id: 'Put' }, 'row Put: /id must match pattern'],
    ['an unknown operation', { operations: ['patchRuntime'] }, '/operations/0 names no operation: patchRuntime'],
    ['no operation', { operations: [] }, '/operations must NOT have fewer than 1 items'],
    ['no evidence', { evidence: [] }, '/evidence must NOT have fewer than 1 items'],
    ['a date that is none', { expires: '2027-02-30' }, '/expires must match format "date"'],
    ['a version that is none', { since: 'latest' }, '/since must match pattern'],
    ['an end before the beginning', { since: '1.3.3', until: '1.3.2' }, '/until does not follow since'],
    ['any status', accepts({ mediaType: 'text/html' }), "/effect/accepts/0 must have required property 'status'"],
    ['any media type', accepts({ status: 500, mediaType: '*/*' }), '/effect/accepts/0/mediaType must match pattern'],
    ['an undocumented model', accepts({ status: 500, like: 418 }), 'is no documented status of updateRuntime: 418'],
    ['an undocumented header', accepts({ status: 401, like: 401, omits: ['X-A'] }), 'is no documented header'],
    ['a probe that proves nothing', steps({ waitMs: 1 }), '/probe/steps has no step with otherwise'],
    ['a value never saved', steps({ method: 'GET', path: '/{x}', otherwise: { status: 1e2 } }), 'has saved: x'],
    ['a step of no kind', steps({ sleep: 1 }), '/probe/steps/0'],
  ])('%s', (_, change, message) => {
    expect(withRow(change)).toThrow(message);
  });

  test('a row that is fine is not', () => {
    expect(withRow({})).not.toThrow();
  });

  test('an id that is used twice', () => {
    const { deviations, ...head } = parse(text) as { deviations: unknown[] };
    const twice = stringify({ ...head, deviations: [deviations[1], deviations[1]] });
    expect(() => parseDeviations(file, twice, contractOf('engine.yaml'))).toThrow(
      'row put-invalid-500: /id is used twice',
    );
  });

  test('rows for another contract', () => {
    expect(() => parseDeviations(file, text, contractOf('gatekeeper.yaml'))).toThrow('/contract is engine.yaml');
  });

  test.each(['', 'null', '[]', 'a: 1', 'deviations: {}'])('a file that is something else: %j', (other) => {
    expect(() => parseDeviations(file, other, contractOf('engine.yaml'))).toThrow(file);
  });
});
