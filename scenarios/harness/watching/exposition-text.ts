/** Reads the text exposition format of Prometheus, version 0.0.4, and names every line that is not of it. */
import { remembered } from '../../../sim/index.ts';

export type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly name: string;
  readonly labels: Labels;
  /** Equal for one metric with one label set. */
  readonly key: string;
}

interface Sample extends Series {
  readonly value: number;
  /** Milliseconds since the Unix epoch; null where the line has none. */
  readonly timestamp: number | null;
}

export interface Exposition {
  readonly samples: readonly Sample[];
  readonly flaws: readonly { readonly line: string; readonly problem: string }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const HEAD = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(`^(${NAME}(?:\\{.*\\})?) (\\S+)(?: (-?\\d+))?$`);
const PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/y;
const VALUE = /^([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN)$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

export function readExposition(text: string): Exposition {
  const samples: Sample[] = [];
  const flaws: { line: string; problem: string }[] = [];
  const typed = new Set<string>();
  const helped = new Set<string>();
  /** Families that have ended: what is one has to stand together. */
  const ended = new Set<string>();
  const seen = new Set<string>();
  let family = '';
  const lines = text.split('\n');
  if (lines.pop() !== '') flaws.push({ line: lines.at(-1) ?? '', problem: 'the last line does not end' });
  for (const line of lines) {
    const flawed = (problem: string): void => void flaws.push({ line, problem });
    const enter = (name: string): void => {
      if (name === family) return;
      ended.add(family);
      if (ended.has(name)) flawed('its family stands in two places');
      family = name;
    };
    const [, keyword, subject = '', rest = ''] = HEAD.exec(line) ?? [];
    if (keyword !== undefined) {
      enter(subject);
      const known = keyword === 'TYPE' ? typed : helped;
      if (known.has(subject)) flawed(`a second ${keyword} of ${subject}`);
      known.add(subject);
      if (keyword === 'TYPE' && !TYPES.includes(rest)) flawed(`${rest} is no type`);
      continue;
    }
    if (line.startsWith('#') || line === '') continue;
    const [, named = '', value = '', timestamp] = SAMPLE.exec(line) ?? [];
    const series = seriesIn(named);
    if (series === undefined || !VALUE.test(value)) {
      flawed('it is no sample');
      continue;
    }
    const { name, labels, key } = series;
    enter(name);
    if (!typed.has(name)) flawed(`no TYPE of ${name} before it`);
    if (seen.has(key)) flawed('a label set that has a sample already');
    seen.add(key);
    samples.push({
      name,
      labels,
      key,
      value: numberIn(value),
      timestamp: timestamp === undefined ? null : Number(timestamp),
    });
  }
  return { samples, flaws };
}

/** Every scrape has the same series over and over. */
const seriesIn = remembered((text): Series | undefined => {
  if (text === '') return undefined;
  const brace = text.indexOf('{');
  const name = brace < 0 ? text : text.slice(0, brace);
  const labels = brace < 0 ? {} : labelsIn(text.slice(brace + 1, -1));
  return labels && { name, labels, key: `${name} ${keyOf(labels)}` };
});

/** Equal for equal label sets. */
export const keyOf = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Pairs such as `core="cpu",id="1"`; undefined when they are not, or when a name comes twice. */
export function labelsIn(text: string): Labels | undefined {
  const labels: Record<string, string> = {};
  PAIR.lastIndex = 0;
  for (let end = 0; end < text.length; end = PAIR.lastIndex) {
    const [whole, name = '', value = ''] = PAIR.exec(text) ?? [];
    if (whole === undefined || Object.hasOwn(labels, name)) return undefined;
    labels[name] = value.replaceAll(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter));
  }
  return labels;
}

export const numberIn = (text: string): number => Number(text.replace('Inf', 'Infinity'));
