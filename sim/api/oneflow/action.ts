/** The body of an action: what is to be done, and with what. */
import type { Json } from '../../one/json.ts';
import { parseJson } from '../ruby-json.ts';
import { at } from './ruby-value.ts';

export interface Action {
  readonly perform: Json | undefined;
  readonly params: Json | undefined;
}

/** @throws JsonProblem, FlowCrash: OneFlow catches neither */
export function actionOf(source: string): Action {
  const action = at(parseJson(source), 'action');
  const params = at(action, 'params', "\n\n    opts   = action['params']\n                   ^^^^^^^^^^");
  return { perform: at(action, 'perform'), params };
}
