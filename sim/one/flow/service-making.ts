/** The body of a service that is to be made: what its template says, with what the instantiation gives. Mirrors `oneflow-server.rb` of OneFlow 6.10. */
import { copyJson, deepMerge, equalJson, type Json } from './json.ts';
import { validateTemplate } from './service-schema.ts';
import { isPlainBody, type ServiceTemplateBody } from './service-template.ts';
import { checkCustomAttributes, fillNetworkValues, mergeable, resolveAttributes } from './service-values.ts';

interface Making {
  /** What was given. */
  readonly merge: Json | undefined;
  /** As it is allocated, but for its start time: state 0, roles without nodes. Not to be changed. */
  readonly body: ServiceTemplateBody;
  /** Of {@link isPlainBody}. */
  readonly plain: boolean;
}

/** What was last made of a template: most instantiations of it give the same. */
const LAST = new WeakMap<ServiceTemplateBody, Making>();

/** @throws FlowError 400 for values that are missing, 500 for a result that the schema forbids */
export function making(template: ServiceTemplateBody, merge: Json | undefined): Making {
  const last = LAST.get(template);
  if (last !== undefined && equalJson(last.merge, merge)) return last;
  const body = merged(template, merge);
  const made = { merge: merge === undefined ? merge : copyJson(merge), body, plain: isPlainBody(body) };
  LAST.set(template, made);
  return made;
}

function merged(template: ServiceTemplateBody, given: Json | undefined): ServiceTemplateBody {
  const merge = mergeable(given);
  checkCustomAttributes(template, merge);
  fillNetworkValues(template, merge);
  const body = validateTemplate(deepMerge(copyJson(template), merge), 500);
  for (const role of body.roles) role.state ??= 0;
  body.state = 0;
  body.start_time = 0;
  resolveAttributes(body);
  return body;
}
