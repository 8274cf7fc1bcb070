/** The functions of PromQL that are there: what they take, what they give, and those of plain numbers. */
import type { ValueType } from './expression.ts';
import { OVER_TIME } from './over-time.ts';

export interface Signature {
  readonly takes: readonly ValueType[];
  /** How many of the last arguments may be left out. */
  readonly optional: number;
  readonly gives: 'scalar' | 'instant vector';
}

const VECTOR = 'instant vector';
const SCALAR = 'scalar';

/** Of each value of a vector, and of scalar arguments. */
type Pointwise = (value: number, a: number, b: number) => number;

interface PointwiseRow {
  readonly scalars: number;
  readonly optional?: number;
  readonly of: Pointwise;
}

const clamp = (value: number, low: number, high: number): number =>
  Number.isNaN(low) || Number.isNaN(high) ? Number.NaN : Math.max(low, Math.min(high, value));

/** Halves are rounded up, to the nearest multiple; multiplied by the inverse, as Prometheus does for precision. */
const round = (value: number, multiple: number): number => {
  const inverse = 1 / (Number.isNaN(multiple) ? 1 : multiple);
  return Math.floor(value * inverse + 0.5) / inverse;
};

export const POINTWISE: Readonly<Record<string, PointwiseRow>> = {
  abs: { scalars: 0, of: Math.abs },
  ceil: { scalars: 0, of: Math.ceil },
  floor: { scalars: 0, of: Math.floor },
  round: { scalars: 1, optional: 1, of: round },
  clamp: { scalars: 2, of: clamp },
  clamp_min: { scalars: 1, of: (value, low) => clamp(value, low, Number.POSITIVE_INFINITY) },
  clamp_max: { scalars: 1, of: (value, high) => clamp(value, Number.NEGATIVE_INFINITY, high) },
  exp: { scalars: 0, of: Math.exp },
  ln: { scalars: 0, of: Math.log },
  log2: { scalars: 0, of: Math.log2 },
  log10: { scalars: 0, of: Math.log10 },
  sqrt: { scalars: 0, of: Math.sqrt },
  sgn: { scalars: 0, of: Math.sign },
};

/** Functions of a window that take a scalar, and whether before it or after it. */
const WITH_SCALAR: Readonly<Record<string, readonly ValueType[]>> = {
  quantile_over_time: [SCALAR, 'range vector'],
  predict_linear: ['range vector', SCALAR],
};

const SIGNATURES: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ['time', { takes: [], optional: 0, gives: SCALAR }],
  ['scalar', { takes: [VECTOR], optional: 0, gives: SCALAR }],
  ['vector', { takes: [SCALAR], optional: 0, gives: VECTOR }],
  ['absent', { takes: [VECTOR], optional: 0, gives: VECTOR }],
  ['absent_over_time', { takes: ['range vector'], optional: 0, gives: VECTOR }],
  ['timestamp', { takes: [VECTOR], optional: 0, gives: VECTOR }],
  ['sort', { takes: [VECTOR], optional: 0, gives: VECTOR }],
  ['sort_desc', { takes: [VECTOR], optional: 0, gives: VECTOR }],
  ...Object.entries(POINTWISE).map(([name, { scalars, optional = 0 }]): [string, Signature] => [
    name,
    { takes: [VECTOR, ...new Array<ValueType>(scalars).fill(SCALAR)], optional, gives: VECTOR },
  ]),
  ...Object.keys(OVER_TIME).map((name): [string, Signature] => [
    name,
    { takes: WITH_SCALAR[name] ?? ['range vector'], optional: 0, gives: VECTOR },
  ]),
]);

export const signatureOf = (name: string): Signature | undefined => SIGNATURES.get(name);

/** For each aggregation that is there: what its parameter is, if it has one. */
export const AGGREGATIONS: ReadonlyMap<string, ValueType | null> = new Map<string, ValueType | null>([
  ['sum', null],
  ['avg', null],
  ['min', null],
  ['max', null],
  ['count', null],
  ['group', null],
  ['stddev', null],
  ['stdvar', null],
  ['topk', SCALAR],
  ['bottomk', SCALAR],
  ['quantile', SCALAR],
]);
