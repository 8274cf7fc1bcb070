/** Whether a body may be a runtime. Mirrors `ServerlessRuntime.validate`. */

import type { Hash, Value } from '../ruby-json.ts';
import { Crash, refusal } from './refusal.ts';
import type { Engine } from './runtime.ts';
import { RUNTIME_SCHEMA, STRICT_RUNTIME_SCHEMA, violation } from './schema.ts';

/** The runtime in a body. @throws Refusal 400; Crash where the schema lets something pass that is none */
export function validated({ deviations }: Engine, specification: Value): Hash {
  const schema = deviations.has('body-without-runtime-500') ? RUNTIME_SCHEMA : STRICT_RUNTIME_SCHEMA;
  const problem = violation(schema, specification);
  if (problem !== undefined) throw refusal(400, 'Invalid Serverless Runtime specification', problem);
  const runtime = specification instanceof Map ? specification.get('SERVERLESS_RUNTIME') : undefined;
  if (!(runtime instanceof Map)) throw new Crash('the body has no SERVERLESS_RUNTIME');
  return runtime;
}
