import { readFile } from 'node:fs/promises';
import SwaggerParser from '@apidevtools/swagger-parser';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadSimulator } from '../sim/index.ts';
import { loadContracts, type Schema } from './contract.ts';
import { errorsOf } from './schema.ts';

const FILES = ['engine.yaml', 'gatekeeper.yaml', 'monitoring.yaml', 'prometheus.yaml', 'control.yaml'];

interface Example {
  readonly at: string;
  readonly schema: Schema;
  readonly value: unknown;
}

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Every object in the document, with the path to it. */
function* nodesOf(value: unknown, at = ''): Generator<{ readonly at: string; readonly node: Node }> {
  if (!isNode(value)) return;
  yield { at, node: value };
  for (const [key, child] of Object.entries(value)) yield* nodesOf(child, `${at}/${key.replaceAll('/', '~1')}`);
}

async function read(file: string): Promise<Node> {
  return parse(await readFile(new URL(file, import.meta.url), 'utf8'), { merge: true });
}

/** The media type objects of a dereferenced document: what has both a schema and examples. */
async function mediaTypes(file: string): Promise<{ readonly at: string; readonly node: Node }[]> {
  const document = await SwaggerParser.dereference(structuredClone(await read(file)) as never, {
    resolve: { external: false },
  });
  const { paths, 'x-unmatched': unmatched } = document as unknown as Node;
  return [...nodesOf({ paths, unmatched })].filter(({ at }) => /\/content\/[^/]+$/.test(at));
}

describe.each(FILES)('%s', (file) => {
  test('is a valid OpenAPI document, without asking the network', async () => {
    const document = await SwaggerParser.validate((await read(file)) as never, { resolve: { external: false } });
    expect(document).toHaveProperty('openapi', '3.0.3');
  });

  test('refers to nothing outside itself', async () => {
    const references = [...nodesOf(await read(file))].flatMap(({ node }) => ('$ref' in node ? [node.$ref] : []));
    expect(references).not.toEqual([]);
    expect(references.filter((reference) => !`${reference}`.startsWith('#/'))).toEqual([]);
  });

  test('names and describes every operation, answer and header', async () => {
    const document = await read(file);
    const operations = [...nodesOf({ paths: document.paths, unmatched: document['x-unmatched'] })].filter(
      ({ node }) => 'responses' in node,
    );
    const ids = operations.map(({ node }) => node.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { at, node } of operations) {
      expect(node, at).toMatchObject({ operationId: expect.stringMatching(/./), summary: expect.stringMatching(/./) });
      for (const status of Object.keys(node.responses as Node)) expect(status, at).toMatch(/^\d{3}$/);
    }
  });

  test('decides for every object whether it is open', async () => {
    const undecided = [...nodesOf(await read(file))]
      .filter(({ at, node }) => node.type === 'object' && !('additionalProperties' in node) && !/examples/.test(at))
      .map(({ at }) => at);
    expect(undecided).toEqual([]);
  });

  test('gives at least one example of every body, and every example fits its schema', async () => {
    const types = await mediaTypes(file);
    expect(types.filter(({ node }) => !isNode(node.examples)).map(({ at }) => at)).toEqual([]);
    const examples = types.flatMap(({ at, node }) =>
      Object.entries(node.examples as Node).map(
        ([name, example]): Example => ({
          at: `${at}/${name}`,
          schema: node.schema as Schema,
          value: (example as Node).value,
        }),
      ),
    );
    expect(examples.length).toBeGreaterThan(10);
    for (const { at, schema, value } of examples) expect(errorsOf(schema, value), at).toEqual([]);
  });

  test('has schemas that compile and refuse something', async () => {
    for (const { at, node } of await mediaTypes(file)) {
      expect(errorsOf(node.schema as Schema, Number.NaN), at).not.toEqual([]);
    }
  });
});

test('between them, the contracts own every path once', async () => {
  const owned = (await loadContracts()).flatMap(({ owns }) => owns);
  expect(owned).toContain('/');
  expect(new Set(owned).size).toBe(owned.length);
});

test('every runtime that the contract gives as an example of a request comes to run', async () => {
  const types = await mediaTypes('engine.yaml');
  const requests = types.find(({ at }) => at.startsWith('/paths/~1serverless-runtimes/post/requestBody/'));
  const examples = Object.entries((requests?.node.examples ?? {}) as Node);
  expect(examples.length).toBeGreaterThan(1);
  for (const [name, example] of examples) {
    const { fetch, world } = await loadSimulator();
    const headers = { Authorization: `Basic ${btoa('alice:alice')}` };
    const body = JSON.stringify((example as Node).value);
    const url = 'http://127.0.0.1:1337/serverless-runtimes';
    const made = JSON.parse(await (await fetch(new Request(url, { method: 'POST', headers, body }))).text());
    await world.clock.advance(300_000);
    const answer = await fetch(new Request(`${url}/${made.SERVERLESS_RUNTIME?.ID}`, { headers }));
    expect(JSON.parse(await answer.text()), name).toMatchObject({ SERVERLESS_RUNTIME: { FAAS: { STATE: 'RUNNING' } } });
  }
});
