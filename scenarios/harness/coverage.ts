/**
 * What runs have come to see, of all that there is to see: states and edges of the life cycle, documented answers, kinds of
 * faults and deviations. What was never seen, no law can have been held against.
 */
import type { Contract } from '../../contracts/contract.ts';
import { type Entry, FAULT_SCHEMA, STATES } from '../../sim/index.ts';
import { heldAgainst } from './laws/record.ts';
import { type Fault, faultsOf, type Scenario } from './scenario.ts';
import { EDGES, keyOf } from './state-graph.ts';
import type { Story } from './story.ts';

export const ASPECTS = {
  state: 'states',
  edge: 'legal edges',
  answer: 'documented answers',
  fault: 'kinds of faults',
  deviation: 'deviations',
} as const;

export type Aspect = keyof typeof ASPECTS;

export const ASPECT_NAMES = Object.keys(ASPECTS) as readonly Aspect[];

/** How often each thing was seen. */
type Counts = Map<string, number>;

/** What a coverage has taken down, as plain values. */
export interface Sightings {
  readonly profiles: readonly Profile[];
  readonly seen: Readonly<Record<Aspect, Readonly<Record<string, number>>>>;
  /** By operation, by status. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly departures: Readonly<Record<string, string>>;
  readonly blows: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

type Profile = NonNullable<Scenario['profile']>;

/** What led to a change of state, where nothing had gone wrong. */
export const NO_FAULT = 'no fault';

export class Coverage {
  readonly #contracts: readonly Contract[];
  readonly #seen: Readonly<Record<Aspect, Counts>> = {
    state: new Map(),
    edge: new Map(),
    answer: new Map(),
    fault: new Map(),
    deviation: new Map(),
  };
  /** Answers by operation and status, the undocumented ones too. */
  readonly answers = new Map<string, Map<number, number>>();
  /** By operation and status: the deviation that an answer was taken for. */
  readonly departures = new Map<string, string>();
  /** Changes of state by edge, and by what had led to them. */
  readonly blows = new Map<string, Counts>();
  /** Those that servers were expected to keep. */
  readonly profiles = new Set<Profile>();

  constructor(contracts: readonly Contract[]) {
    this.#contracts = contracts;
  }

  /** How often something was seen. */
  count(aspect: Aspect, what: string): number {
    return this.#seen[aspect].get(what) ?? 0;
  }

  /** How many things have been seen. */
  get size(): number {
    return Object.values(this.#seen).reduce((sum, counts) => sum + counts.size, 0);
  }

  /** What there is to see. @param apis the documents whose operations are asked, such as `engine.yaml` */
  universe(aspect: Aspect, apis: readonly string[]): readonly string[] {
    const contracts = this.#contracts.filter(({ file }) => apis.includes(file));
    switch (aspect) {
      case 'state':
        return Object.keys(STATES);
      case 'edge':
        return EDGES;
      case 'answer':
        return named(contracts.flatMap(({ operations }) => operations.flatMap(answersOf)));
      case 'fault':
        return FAULT_KINDS;
      case 'deviation':
        return contracts.flatMap(({ deviations }) => deviations.map(({ id }) => id));
      default:
        return aspect satisfies never;
    }
  }

  add(story: Story): void {
    this.profiles.add(story.run.scenario.profile ?? 'upstream');
    for (const exchange of story.answered) this.#addExchange(story, exchange);
    const kinds = kindsIn(story);
    const operators = new Set(story.exchanges.flatMap(({ op, entry }) => (op === 'operator' ? [entry] : [])));
    for (const { entry, from, to } of story.changes) {
      const edge = keyOf(from, to);
      bump(this.#seen.state, from);
      bump(this.#seen.state, to);
      bump(this.#seen.edge, edge);
      bump(rowOf(this.blows, edge), causeOf(story, entry, kinds, operators));
    }
    for (const { kind, detail } of story.entries) {
      if (kind === 'fault') bump(this.#seen.fault, kinds.get(`${detail.fault}`) ?? `${detail.do}`);
    }
    const faults = new Map(faultsOf(story.run.scenario).map((fault) => [fault.id, fault]));
    for (const { fault, phase } of story.faults) {
      const kind = phase === 'began' ? faults.get(fault) : undefined;
      if (kind !== undefined && CONDITION_KINDS.has(kindOf(kind))) bump(this.#seen.fault, kindOf(kind));
    }
  }

  get sightings(): Sightings {
    const seen = ASPECT_NAMES.map((aspect) => [aspect, Object.fromEntries(this.#seen[aspect])] as const);
    return {
      profiles: [...this.profiles],
      seen: Object.fromEntries(seen) as Sightings['seen'],
      answers: plain(this.answers),
      departures: Object.fromEntries(this.departures),
      blows: plain(this.blows),
    };
  }

  /** Takes down what another one has. */
  absorb({ profiles, seen, answers, departures, blows }: Sightings): void {
    for (const profile of profiles) this.profiles.add(profile);
    for (const aspect of ASPECT_NAMES) {
      for (const [what, count] of Object.entries(seen[aspect])) bump(this.#seen[aspect], what, count);
    }
    for (const [id, row] of Object.entries(answers)) {
      for (const [status, count] of Object.entries(row)) bump(rowOf(this.answers, id), Number(status), count);
    }
    for (const [answer, deviation] of Object.entries(departures)) this.departures.set(answer, deviation);
    for (const [edge, row] of Object.entries(blows)) {
      for (const [cause, count] of Object.entries(row)) bump(rowOf(this.blows, edge), cause, count);
    }
  }

  #addExchange(story: Story, exchange: Story['answered'][number]): void {
    const { operation, deviation } = heldAgainst(this.#contracts, exchange, story.deviations);
    if (operation === undefined) return;
    const { status } = exchange.response;
    bump(rowOf(this.answers, operation.id), status);
    if (operation.answers.has(status)) bump(this.#seen.answer, `${operation.id} ${status}`);
    if (deviation === undefined) return;
    bump(this.#seen.deviation, deviation);
    this.departures.set(`${operation.id} ${status}`, deviation);
  }
}

/** The Gatekeeper has each of its operations in two places. */
const named = (names: readonly string[]): readonly string[] => [...new Set(names)];

const answersOf = ({ id, answers }: Contract['operations'][number]): string[] =>
  [...answers.keys()].map((status) => `${id} ${status}`);

function bump<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

const plain = (rows: ReadonlyMap<string, ReadonlyMap<string | number, number>>): Sightings['answers'] =>
  Object.fromEntries(Array.from(rows, ([key, row]) => [key, Object.fromEntries(row)]));

function rowOf<K>(rows: Map<string, Map<K, number>>, key: string): Map<K, number> {
  const row = rows.get(key) ?? new Map<K, number>();
  rows.set(key, row);
  return row;
}

interface FaultForm {
  readonly properties: {
    readonly selector: { readonly properties: { readonly layer: { readonly enum: readonly string[] } } };
    readonly effect: {
      readonly oneOf: readonly { readonly properties: { readonly do: { readonly enum: readonly string[] } } }[];
    };
  };
}

/** All that a fault may be, as its schema has it. */
const FAULT_KINDS: readonly string[] = (FAULT_SCHEMA.oneOf as readonly FaultForm[]).flatMap(({ properties }) => {
  const [layer = ''] = properties.selector.properties.layer.enum;
  return properties.effect.oneOf.map(({ properties: effect }) => `${layer} ${effect.do.enum[0]}`);
});

function kindOf(fault: Fault): string {
  switch (fault.kind) {
    case 'driver':
      return `vm ${fault.do}`;
    case 'declared':
      return `${fault.fault.selector.layer} ${fault.fault.effect.do}`;
    case 'operator':
      return `operator ${fault.action}`;
    case 'hostDown':
      return 'host down';
    default:
      return fault satisfies never;
  }
}

/** Those of which the journal tells nothing but what comes of them: that they were armed has to do. */
const CONDITION_KINDS: ReadonlySet<string> = new Set([
  'host down',
  ...FAULT_KINDS.filter((kind) => kind.startsWith('metrics ')),
]);

/** What each fault is that the harness has armed, by the name that the stand-in gave it. */
function kindsIn(story: Story): ReadonlyMap<string, string> {
  const kinds = new Map<string, string>();
  for (const { op, request, response } of story.exchanges) {
    if (op !== 'arm' || response?.status !== 201) continue;
    const { id, selector, effect } = JSON.parse(response.body);
    kinds.set(id, `${selector?.layer} ${effect?.do}`);
    if (selector === undefined) {
      const asked = JSON.parse(request.body ?? '{}');
      kinds.set(id, `${asked.selector?.layer} ${asked.effect?.do}`);
    }
  }
  return kinds;
}

/** The nearest thing that had gone wrong before. */
function causeOf(
  story: Story,
  entry: Entry,
  kinds: ReadonlyMap<string, string>,
  operators: ReadonlySet<number | null>,
): string {
  for (const { kind, detail, seq } of story.why(entry).slice(1)) {
    if (kind === 'fault') return kinds.get(`${detail.fault}`) ?? `${detail.do}`;
    if (kind === 'host.state') return 'host down';
    if (kind === 'request' && operators.has(seq)) return 'operator';
  }
  return NO_FAULT;
}
