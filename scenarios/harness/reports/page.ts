/** A verdict as one page that needs nothing else: what held, what broke and how it came about, and what was never seen. */
import { ASPECTS, NO_FAULT } from '../coverage.ts';
import type { Judged } from '../junit.ts';
import { reasonFor, sightsOf } from '../unseen.ts';
import { type Cell, escaped, table } from './markup.ts';
import { placeOf } from './place.ts';
import { type Broken, brokenIn, fateOf, type Reported } from './reported.ts';
import { STYLE } from './style.ts';
import { timeline } from './timeline.ts';

/** So many failures are drawn. */
const MOST_DRAWN = 20;

export function page(reported: Reported): string {
  const broken = brokenIn(reported);
  const [byLaws, others] = suites(reported);
  const parts = [
    verdict(reported, broken),
    section(
      'What broke',
      broken
        .slice(0, MOST_DRAWN)
        .map((each) => failure(reported, each))
        .join(''),
      'A lane for each client, each VM and what went wrong, in the time of the server; where nothing happens it is drawn short. Green was answered with success, blue refused, orange failed; the framed one is where it shows.',
    ),
    section('The laws', cards(reported.laws, byLaws)),
    ...others.map((each) => section(each.name, cards(each.by ?? [], [each], 'named'))),
    section(
      'Answers',
      answers(reported),
      'Each operation of the contract, and how often it was answered with each status. A dot: documented, and never seen; violet: a deviation that is listed; red: neither.',
    ),
    section('The life cycle under faults', heat(reported), 'Each step that a VM has made, and what had led to it.'),
    section(
      'Seen, and not seen',
      unseen(reported),
      'Green was seen; grey is out of reach, each for the reason that is told; red could have been seen.',
    ),
  ];
  const title = broken.length === 0 ? 'onesim: nothing broken' : `onesim: ${broken.length} broken`;
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head><body><main>${parts.join('\n')}</main></body></html>\n`;
}

const section = (title: string, content: string, hint = ''): string =>
  content === ''
    ? ''
    : `<section><h2>${escaped(title)}</h2>${hint === '' ? '' : `<p class="hint">${escaped(hint)}</p>`}${content}</section>`;

interface Sight {
  readonly code: number | undefined;
  readonly broken: number;
  readonly checks: number;
}

/** What is said of it all: the first that is so. */
const WORDS: readonly (readonly [isSo: (sight: Sight) => boolean, word: string, kind: 'bad' | 'idle'])[] = [
  [({ code }) => code === 3, 'Something is left on the server', 'bad'],
  [({ broken }) => broken > 0, 'Broken', 'bad'],
  [({ checks }) => checks === 0, 'Nothing was checked', 'idle'],
  [({ code }) => code === 1, 'Broken', 'bad'],
  [({ code }) => code === 4, 'Everything held, but it was too little', 'idle'],
];

/** Those that were held against laws, and those against rows of their own, as known departures are. */
function suites({ laws, judged }: Reported): readonly [byLaws: readonly Judged[], others: readonly Judged[]] {
  const isByLaws = ({ by = laws }: Judged): boolean => by.every(({ id }) => laws.some((law) => law.id === id));
  return [judged.filter(isByLaws), judged.filter((each) => !isByLaws(each))];
}

function verdict(reported: Reported, broken: readonly Broken[]): string {
  const { judged, laws, coverage, part } = reported;
  const [byLaws, others] = suites(reported);
  const all = [...cardsOf(laws, byLaws).values()];
  const count = (fate: string): number => all.filter((each) => each.fate === fate).length;
  const checks = judged
    .flatMap(({ verdict: { checks: each } }) => [...each.values()])
    .reduce((sum, each) => sum + each, 0);
  const requests = [...coverage.answers.values()]
    .flatMap((row) => [...row.values()])
    .reduce((sum, each) => sum + each, 0);
  const sight = { code: part?.code, broken: broken.length, checks };
  const [, word, kind] = WORDS.find(([isSo]) => isSo(sight)) ?? [undefined, 'Everything held', 'good'];
  const figures: readonly (readonly [string, number])[] = [
    ['laws broken', count('broken')],
    ...others.flatMap(({ name, reports }) => (reports.size > 0 ? [[`${name}, broken`, reports.size] as const] : [])),
    ['laws held', count('held')],
    ['never judged', count('idle')],
    ['checks', checks],
    ['answers judged', requests],
  ];
  const names = judged.map(({ name }) => name);
  const what = names.length > 4 ? `${names.slice(0, 4).join(' · ')} and ${names.length - 4} more` : names.join(' · ');
  return `<header class="${kind}"><p class="brand">onesim</p><h1>${word}</h1><p class="what">${escaped(what)}</p><dl>${figures
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${value.toLocaleString('en')}</dd></div>`)
    .join('')}</dl></header>`;
}

function failure({ contracts }: Reported, { judged, violation, sentence, trace }: Broken): string {
  const { law, subject, expected, seen, at } = violation;
  const place = placeOf(contracts, violation);
  const lines = judged.reports.get(law) ?? [];
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['in', judged.name],
    ['about', trace === undefined ? subject : `${subject}, at ${(at / 1000).toFixed(3)} s`],
    ['expected', expected],
    ['seen', seen],
    ['contract', place && `${place.file}:${place.line}`],
  ];
  const facts = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`<dt>${name}</dt><dd><code>${escaped(value.slice(0, 600))}</code></dd>`],
  );
  return `<article><h3><b>${escaped(law)}</b> ${escaped(sentence)}</h3><dl class="facts">${facts.join('')}</dl>${
    trace === undefined ? '' : timeline(trace, violation)
  }${lines.length === 0 ? '' : `<details><summary>Steps, and how to repeat it</summary><pre>${escaped(lines.join('\n'))}</pre></details>`}</article>`;
}

interface Card {
  readonly sentence: string;
  readonly checks: number;
  readonly fate: ReturnType<typeof fateOf>;
}

/** Each law over all that it was held against: broken where it was once, held where it was ever judged. */
function cardsOf(all: Reported['laws'], judged: Reported['judged']): ReadonlyMap<string, Card> {
  const cards = new Map<string, Card>();
  for (const each of judged) {
    for (const { id, sentence } of each.by ?? all) {
      const known = cards.get(id);
      const fate = fateOf(each, id);
      cards.set(id, {
        sentence,
        checks: (known?.checks ?? 0) + (each.verdict.checks.get(id) ?? 0),
        fate: known === undefined || fate === 'broken' || known.fate === 'idle' ? fate : known.fate,
      });
    }
  }
  return cards;
}

function cards(all: Reported['laws'], judged: readonly Judged[], kind = ''): string {
  const drawn = Array.from(cardsOf(all, judged), ([id, { sentence, checks, fate }]) => {
    const count = checks === 0 ? 'not judged' : `${checks.toLocaleString('en')} ${checks === 1 ? 'check' : 'checks'}`;
    return `<li class="${fate}" title="${escaped(sentence)}"><b>${escaped(id)}</b><span>${escaped(sentence)}</span><i>${fate === 'broken' ? 'broken' : count}</i></li>`;
  });
  return drawn.length === 0 ? '' : `<ul class="laws ${kind}">${drawn.join('')}</ul>`;
}

function answers({ contracts, coverage }: Reported): string {
  const operations = contracts.flatMap((contract) => contract.operations).filter(({ id }) => coverage.answers.has(id));
  const unmatched = contracts.map((contract) => contract.unmatched).filter(({ id }) => coverage.answers.has(id));
  const shown = [...new Map([...operations, ...unmatched].map((each) => [each.id, each])).values()];
  const statuses = [
    ...new Set(shown.flatMap(({ id, answers: each }) => [...each.keys(), ...(coverage.answers.get(id)?.keys() ?? [])])),
  ].sort((a, b) => a - b);
  if (shown.length === 0) return '';
  const rows = shown.map(({ id, answers: documented }) => {
    const seen = coverage.answers.get(id);
    const most = Math.max(1, ...(seen?.values() ?? []));
    const cells = statuses.map((status): Cell => {
      const count = seen?.get(status) ?? 0;
      if (count === 0)
        return documented.has(status)
          ? { text: '·', kind: 'unseen', title: `${id} ${status}: documented, never seen` }
          : { text: '' };
      const deviation = coverage.departures.get(`${id} ${status}`);
      const kind = documented.has(status)
        ? `s${Math.floor(status / 100)}`
        : deviation === undefined
          ? 'undocumented'
          : 'departure';
      const strength = 0.25 + 0.75 * (Math.log1p(count) / Math.log1p(most));
      return { ...warm(count, kind, strength), ...(deviation && { title: `deviation ${deviation}` }) };
    });
    return [id, cells] as const;
  });
  return table(['', ...statuses.map(String)], rows, 'matrix');
}

/** What is coloured more strongly needs another ink. */
const STRONG = 0.85;

const warm = (count: number, kind: string, heat: number): Cell => ({
  text: count.toLocaleString('en'),
  kind: heat > STRONG ? `${kind} strong` : kind,
  heat,
});

function heat({ coverage: { blows } }: Reported): string {
  const causes = [...new Set([...blows.values()].flatMap((row) => [...row.keys()]))].sort(
    (a, b) => Number(b === NO_FAULT) - Number(a === NO_FAULT) || a.localeCompare(b),
  );
  if (blows.size === 0) return '';
  const most = Math.max(1, ...[...blows.values()].flatMap((row) => [...row.values()]));
  const edges = [...blows].sort(([a], [b]) => a.localeCompare(b));
  const rows = edges.map(([edge, row]) => {
    const cells = causes.map((cause): Cell => {
      const count = row.get(cause) ?? 0;
      if (count === 0) return { text: '' };
      const strength = 0.15 + 0.85 * (Math.log1p(count) / Math.log1p(most));
      const kind = cause === NO_FAULT ? 'calm' : 'hot';
      return { ...warm(count, kind, strength), title: `${edge}, ${cause}: ${count}` };
    });
    return [edge, cells] as const;
  });
  return table(['', ...causes], rows, 'heat');
}

function unseen({ coverage }: Reported): string {
  return sightsOf(coverage)
    .map(({ aspect, all, missing, open }) => {
      const seen = all.length - missing.length;
      const share = (count: number): string => (all.length === 0 ? 0 : count / all.length).toFixed(3);
      const excused = missing.length - open.length;
      const said = [
        `${seen} of ${all.length} ${ASPECTS[aspect]}`,
        ...(excused > 0 ? [`${excused} out of reach for a reason`] : []),
        ...(open.length > 0 ? [`${open.length} never seen`] : []),
      ];
      const reasons = new Map<string, string[]>(open.length > 0 ? [[UNREASONED, [...open]]] : []);
      for (const each of missing) {
        const why = reasonFor(aspect, each, coverage);
        if (why !== undefined) reasons.set(why, [...(reasons.get(why) ?? []), each]);
      }
      const list = Array.from(reasons, ([why, some]) => {
        const names = some.map((each) => `<code>${escaped(each)}</code>`).join(' ');
        return `<li${why === UNREASONED ? ' class="open"' : ''}><p>${some.length === 1 ? 'It' : 'Each'} ${escaped(why)}:</p>${names}</li>`;
      });
      const bar = `<span class="bar" style="--seen:${share(seen)};--excused:${share(seen + excused)}"></span>`;
      return `<details><summary>${bar}${escaped(said.join(', '))}</summary><ul class="missing">${list.join('')}</ul></details>`;
    })
    .join('');
}

const UNREASONED = 'could have been seen, and was not';
