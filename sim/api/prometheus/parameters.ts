/** Parameters of Prometheus' HTTP API, from the query string or a form. Mirrors 2.42, its messages included. */

import { ParseError } from '../../metrics/promql/expression.ts';
import { durationOf } from '../../metrics/promql/literal.ts';
import type { Matcher } from '../../metrics/promql/matcher.ts';
import { parseSelector } from '../../metrics/promql/parse.ts';
import { BadData, parseTime } from '../../metrics/time.ts';
import { ApiError } from './answer.ts';

const bad = (message: string): ApiError => new ApiError('bad_data', message);

/** What is wrong with a parameter. */
export const invalid = (name: string, message: string): ApiError =>
  bad(`invalid parameter ${JSON.stringify(name)}: ${message}`);

function time(text: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    if (!(error instanceof BadData)) throw error;
    throw new RangeError(error.message);
  }
}

/** @throws ApiError */
function timeOf(form: URLSearchParams, name: string): number {
  try {
    return time(form.get(name) ?? '');
  } catch (error) {
    throw invalid(name, (error as Error).message);
  }
}

/** @throws ApiError */
export function optionalTime(form: URLSearchParams, name: string, missing: number): number {
  const text = form.get(name) ?? '';
  if (text === '') return missing;
  try {
    return time(text);
  } catch (error) {
    throw invalid(name, `Invalid time value for '${name}': ${(error as Error).message}`);
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MOST_SECONDS = 9_223_372_036;

/** Whole milliseconds. @throws ApiError */
function durationParameter(form: URLSearchParams, name: string): number {
  const text = form.get(name) ?? '';
  const shown = JSON.stringify(text);
  if (NUMBER.test(text)) {
    const seconds = Number(text);
    if (Math.abs(seconds) > MOST_SECONDS) {
      throw invalid(name, `cannot parse ${shown} to a valid duration. It overflows int64`);
    }
    // The small addend keeps 0.29 s from becoming 289 ms.
    return Math.floor(seconds * 1000 + 1e-6);
  }
  const duration = durationOf(text);
  if (typeof duration === 'string') throw invalid(name, `cannot parse ${shown} to a valid duration`);
  return duration;
}

const MOST_STEPS = 11_000;

/** Evaluation times. @throws ApiError */
export function rangeOf(form: URLSearchParams): { start: number; step: number; count: number } {
  const [start, end] = [timeOf(form, 'start'), timeOf(form, 'end')];
  if (end < start) throw invalid('end', 'end timestamp must not be before start time');
  const step = durationParameter(form, 'step');
  if (step <= 0) {
    throw invalid('step', 'zero or negative query resolution step widths are not accepted. Try a positive integer');
  }
  const steps = Math.floor((end - start) / step);
  if (steps > MOST_STEPS) {
    throw bad(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { start, step, count: steps + 1 };
}

/** A query is never given up for the time that it takes, but one must be able to say how long it may take. */
export function checkTimeout(form: URLSearchParams): void {
  if ((form.get('timeout') ?? '') !== '') durationParameter(form, 'timeout');
}

const MOST_SELECTORS = 100;

/** One list for each `match[]`. @throws ApiError */
export function selectorsOf(form: URLSearchParams): readonly (readonly Matcher[])[] {
  const texts = form.getAll('match[]');
  if (texts.length > MOST_SELECTORS) throw bad(`more than ${MOST_SELECTORS} match[]`);
  return texts.map((text) => {
    if (/^\s*\{\s*\}\s*$/.test(text)) throw bad('match[] must contain at least one non-empty matcher');
    try {
      return parseSelector(text);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      throw bad(
        error.message.endsWith('must contain at least one non-empty matcher')
          ? 'match[] must contain at least one non-empty matcher'
          : error.message,
      );
    }
  });
}

/** How many results are wanted; 0 is no limit. @throws ApiError */
export function limitOf(form: URLSearchParams): number {
  const text = form.get('limit') ?? '';
  if (text === '') return 0;
  const limit = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(limit)) throw bad('limit must be a number');
  if (limit < 0) throw invalid('limit', 'limit must be non-negative');
  return limit;
}
