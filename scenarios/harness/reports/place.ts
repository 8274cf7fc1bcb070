/** Where in a contract it stands what a violation is about: the answer that was given, or else the operation. */
import { type Contract, operationFor } from '../../../contracts/contract.ts';
import type { Violation } from '../law.ts';

export interface Place {
  /** Such as `contracts/engine.yaml`. */
  readonly file: string;
  readonly line: number;
}

export function placeOf(contracts: readonly Contract[], { where, exchange }: Violation): Place | undefined {
  const [, file, line] = /^(.+):(\d+)$/.exec(where ?? '') ?? [];
  if (file !== undefined && line !== undefined) return { file, line: Number(line) };
  const match = exchange && operationFor(contracts, exchange.request.method, exchange.request.path);
  if (match === undefined) return undefined;
  const { contract, operation } = match;
  const at = [...operation.at, 'responses', `${exchange?.response?.status ?? ''}`];
  return { file: `contracts/${contract.file}`, line: contract.lineOf(at) };
}
