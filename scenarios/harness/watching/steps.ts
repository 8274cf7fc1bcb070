/** The steps of a scenario that look on: at the Gatekeeper's lists, at what is measured, and at its streams. */
import { type FormOf, form } from '../../../sim/index.ts';
import { after, common, duration, made, name } from '../step-parts.ts';

const { list, map, number, object, text, variants, whole, word } = form;

/** The lists of the Gatekeeper. */
const LISTS = ['functions', 'services', 'packages', 'records/functions', 'records/services', 'records/others'] as const;

/** How monitoring data is asked for: with or without `metrics` in the path, the parameters behind a ? or a slash. */
const FORMS = ['metrics?', 'metrics/', '?', '/'] as const;

const YEAR_MS = 365 * 86_400_000;
/** Before the present of who is asked; less than nothing is to come. */
const agoMs = number(-YEAR_MS, YEAR_MS);

const range = {
  sinceAgoMs: agoMs,
  untilAgoMs: agoMs,
  stepMs: number(0, YEAR_MS),
  /** Moves both ends back to a multiple of so many milliseconds of the server's time. */
  alignMs: whole(1, YEAR_MS),
};

/** What is sent word for word, instead of what the step makes of the same name, or besides; an empty text takes it away. */
const given = map(text());

/** Something by its place in the order in which it was first seen, or an id that nobody has, or that is none. */
const sought = { nth: whole(0), uuid: word('known', 'none', 'malformed') };

const { client } = common;

const step = <O extends string, R extends Fields, P extends Fields>(op: O, required: R, optional: P) =>
  object({ id: name, op: word(op), ...required }, { ...common, ...optional });

type Fields = Parameters<typeof object>[0];

/** What a client of a stream does. */
const onStream = <O extends string, R extends Fields, P extends Fields>(op: O, required: R, optional: P) =>
  object({ id: name, op: word(op), ref: made, ...required }, { client, after, ...optional });

export const WATCH_STEPS = {
  login: step('login', {}, { password: text() }),
  logout: step('logout', {}, {}),
  'functions.list': step('functions.list', {}, { of: word(...LISTS), given }),
  'functions.get': step('functions.get', {}, { of: word(...LISTS), ...sought }),
  'metrics.names': step('metrics.names', {}, {}),
  'metrics.asynch': step(
    'metrics.asynch',
    { metrics: list(text()) },
    { ...range, ...sought, form: word(...FORMS), given },
  ),
  'metrics.synch': step(
    'metrics.synch',
    { metrics: list(text()) },
    { ...range, ...sought, form: word(...FORMS), given, bind: name },
  ),
  'ws.open': onStream('ws.open', {}, {}),
  'ws.read': onStream('ws.read', {}, { frames: whole(1), withinMs: duration }),
  'ws.send': onStream('ws.send', { text: text() }, {}),
  'ws.close': onStream('ws.close', {}, {}),
  'prometheus.scrape': step('prometheus.scrape', {}, {}),
  'prometheus.query': step('prometheus.query', { metric: text() }, { ref: made, ...range, given }),
} as const;

const watchStep = variants('op', WATCH_STEPS);

export type WatchStep = FormOf<typeof watchStep>;
/** Those that are a request, and have an answer. */
export type WatchRequest = Exclude<WatchStep, { readonly op: `ws.${string}` }>;
export type StreamStep = Exclude<WatchStep, WatchRequest>;
export type ListName = (typeof LISTS)[number];
