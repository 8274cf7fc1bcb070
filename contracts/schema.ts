/** Validators for JSON schemas, compiled when first needed and kept: OpenAPI 3.0's dialect and draft 7 in one. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

const ajv = new Ajv({ allErrors: true, strictTypes: false, strictTuples: false, strictRequired: false });
formats.default(ajv);
ajv.addVocabulary(['example']);

const compiled = new WeakMap<object, ValidateFunction>();

/** What is wrong with the value; empty when nothing is. */
export function errorsOf(schema: object, value: unknown): readonly ErrorObject[] {
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** The value that a JSON pointer names, or `undefined`. */
export function valueAt(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (parent, key) => (parent instanceof Object && Object.hasOwn(parent, key) ? Reflect.get(parent, key) : undefined),
      value,
    );
}
