/** Both are written anew by `npx vitest run contracts/fault-schema.test.ts -u`. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FAULT_SCHEMA } from '../sim/index.ts';
import { faultSchemaFile, withFaultSchema } from './fault-schema.ts';

const text = await readFile(new URL('./control.yaml', import.meta.url), 'utf8');

test('the schema in the document is the one that faults are checked by', async () => {
  await expect(withFaultSchema(text)).toMatchFileSnapshot('./control.yaml');
  expect(parse(text).components.schemas.FaultSpec).toEqual({ oneOf: FAULT_SCHEMA.oneOf });
});

test('the schema in fixtures/ too', async () => {
  await expect(faultSchemaFile()).toMatchFileSnapshot('../fixtures/faults/schema.json');
});
