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
const SERIES = new RegExp(`^${NAME}(\\{.*\\})?$`);
const PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/y;
const VALUE = /^([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN)$/;
const TIME = /^-?\d+$/;
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
  const flawed = (line: string, problem: string): void => void flaws.push({ line, problem });
  const enter = (line: string, name: string): void => {
    if (name === family) return;
    ended.add(family);
    if (ended.has(name)) flawed(line, 'its family stands in two places');
    family = name;
  };
  for (const line of lines) {
    if (line.startsWith('#')) {
      const [, keyword, subject = '', rest = ''] = HEAD.exec(line) ?? [];
      if (keyword === undefined) continue;
      enter(line, subject);
      const known = keyword === 'TYPE' ? typed : helped;
      if (known.has(subject)) flawed(line, `a second ${keyword} of ${subject}`);
      known.add(subject);
      if (keyword === 'TYPE' && !TYPES.includes(rest)) flawed(line, `${rest} is no type`);
      continue;
    }
    if (line === '') continue;
    const sample = sampleIn(line);
    if (sample === undefined) {
      flawed(line, 'it is no sample');
      continue;
    }
    const { name, key } = sample;
    enter(line, name);
    if (!typed.has(name)) flawed(line, `no TYPE of ${name} before it`);
    if (seen.has(key)) flawed(line, 'a label set that has a sample already');
    seen.add(key);
    samples.push(sample);
  }
  return { samples, flaws };
}

/** A series, its value and, where there is one, a time, with a blank between each two. */
function sampleIn(line: string): Sample | undefined {
  const brace = line.lastIndexOf('}');
  const end = brace < 0 ? line.indexOf(' ') : brace + 1;
  const gap = line.indexOf(' ', end + 1);
  const value = line.slice(end + 1, gap < 0 ? line.length : gap);
  const time = gap < 0 ? undefined : line.slice(gap + 1);
  const isSample = line[end] === ' ' && VALUE.test(value) && (time === undefined || TIME.test(time));
  const series = isSample ? seriesIn(line.slice(0, end)) : undefined;
  if (series === undefined) return undefined;
  const { name, labels, key } = series;
  return { name, labels, key, value: numberIn(value), timestamp: time === undefined ? null : Number(time) };
}

/** Every scrape has the same series over and over. */
const seriesIn = remembered((text): Series | undefined => {
  if (!SERIES.test(text)) return undefined;
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
    labels[name] = value.includes('\\') ? unescaped(value) : value;
  }
  return labels;
}

const unescaped = (value: string): string =>
  value.replaceAll(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter));

export const numberIn = (text: string): number => Number(text.replace('Inf', 'Infinity'));
