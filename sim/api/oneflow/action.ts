/** The body of an action: what is to be done, and with what. */
import type { Json } from '../../one/flow/json.ts';
import { at, readJson } from './ruby-value.ts';

export interface Action {
  readonly perform: Json | undefined;
  readonly params: Json | undefined;
}

/** @throws ParserError, FlowCrash: OneFlow catches neither */
export function actionOf(source: string): Action {
  const action = at(readJson(source), 'action');
  const params = at(action, 'params', "\n\n    opts   = action['params']\n                   ^^^^^^^^^^");
  return { perform: at(action, 'perform'), params };
}
