/** A timing file: how long the cloud takes, as changes to one of the profiles. */
import { suggestion } from './kernel/nearest.ts';
import type { Distribution } from './kernel/random.ts';
import { TIMINGS, type Timing } from './one/timing.ts';
import { Problem } from './problem.ts';
import { type Path, readSource, type Source } from './source.ts';

/** Longer than any driver waits, and short enough to be added up. */
const LONGEST_MS = 365 * 24 * 3600 * 1000;

/**
 * Reads `base: fast`, `schedulerIntervalMs: 1000`, `actions: { deploy: { uniform: [500, 2000] } }`: what is not said is
 * as in the base, which is realistic unless said.
 * @throws Problem
 */
export async function readTiming(text: string, file: string): Promise<Timing> {
  const reader = new Reader(await readSource(text, file));
  const given = reader.mapping([], ['base', 'schedulerIntervalMs', 'flowReactionMs', 'actions']);
  const base: Timing =
    TIMINGS[reader.word(['base'], given.base ?? 'realistic', Object.keys(TIMINGS)) as keyof typeof TIMINGS];
  const changed = Object.fromEntries(
    (['schedulerIntervalMs', 'flowReactionMs'] as const)
      .filter((key) => given[key] !== undefined)
      .map((key) => [key, reader.milliseconds([key], given[key])]),
  );
  const actions =
    given.actions === undefined
      ? {}
      : Object.fromEntries(
          Object.keys(reader.mapping(['actions'], Object.keys(base.actions))).map((action) => [
            action,
            reader.distribution(['actions', action]),
          ]),
        );
  return { ...base, ...changed, actions: { ...base.actions, ...actions } };
}

type Mapping = Readonly<Record<string, unknown>>;

class Reader {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  mapping(path: Path, keys: readonly string[]): Mapping {
    const value = this.#at(path) ?? (path.length === 0 ? {} : undefined);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#problem(path, `expected keys with values: ${keys.join(', ')}`);
    }
    for (const key of Object.keys(value)) {
      if (keys.includes(key)) continue;
      const place = this.#source.placeOfKey([...path, key]);
      throw new Problem(`${place}: unknown key ${JSON.stringify(key)}${suggestion(key, keys)}`);
    }
    return value as Mapping;
  }

  word(path: Path, value: unknown, words: readonly string[]): string {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const meant = suggestion(String(value), words);
    throw this.#problem(path, `${JSON.stringify(value)} is not ${words.join(', ')}${meant}`);
  }

  milliseconds(path: Path, value: unknown, least = 0): number {
    if (typeof value === 'number' && value >= least && value <= LONGEST_MS) return value;
    throw this.#problem(path, `expected milliseconds from ${least} to ${LONGEST_MS}, not ${JSON.stringify(value)}`);
  }

  distribution(path: Path): Distribution {
    const given = this.mapping(path, ['fixed', 'uniform', 'lognormal', 'exponential']);
    const [kind, ...more] = Object.keys(given);
    if (kind === undefined || more.length > 0) {
      throw this.#problem(path, 'expected one of fixed, uniform, lognormal, exponential');
    }
    const inner = [...path, kind];
    switch (kind) {
      case 'fixed':
        return { fixed: this.milliseconds(inner, given.fixed) };
      case 'uniform': {
        const { uniform } = given;
        if (!Array.isArray(uniform) || uniform.length !== 2) throw this.#problem(inner, 'expected [least, most]');
        const least = this.milliseconds([...inner, 0], uniform[0]);
        return { uniform: [least, this.milliseconds([...inner, 1], uniform[1], least)] };
      }
      case 'lognormal': {
        const { median, p95 } = this.mapping(inner, ['median', 'p95']);
        const middle = this.milliseconds([...inner, 'median'], median, 1);
        return { lognormal: { median: middle, p95: this.milliseconds([...inner, 'p95'], p95, middle) } };
      }
      default: {
        const { mean } = this.mapping(inner, ['mean']);
        return { exponential: { mean: this.milliseconds([...inner, 'mean'], mean) } };
      }
    }
  }

  #at(path: Path): unknown {
    return path.reduce<unknown>(
      (value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
      this.#source.value,
    );
  }

  #problem(path: Path, problem: string): Problem {
    return new Problem(`${this.#source.place(path)}: ${problem}`);
  }
}
