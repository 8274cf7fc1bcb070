/** The books of quotas: limits and use of each user and group. Mirrors `Quota.cc` and `Quotas.cc` of OpenNebula 6.10. */
import { OneError } from '../error.ts';
import type { Template, Vector } from '../syntax/syntax.ts';

/** What is counted, by the kind of object it is counted for, in the order in which oned checks it. */
export const METRICS = {
  DATASTORE: ['SIZE', 'IMAGES'],
  NETWORK: ['LEASES'],
  VM: ['VMS', 'RUNNING_VMS', 'CPU', 'RUNNING_CPU', 'MEMORY', 'RUNNING_MEMORY', 'SYSTEM_DISK_SIZE'],
  IMAGE: ['RVMS'],
} as const;
export type QuotaKind = keyof typeof METRICS;
type Metric = (typeof METRICS)[QuotaKind][number];

/** Limits that are none: the default's holds, or nothing does. */
export const DEFAULT = -1;
export const UNLIMITED = -2;

/** Amounts are kept in millionths, so that what is added and taken away again leaves nothing behind. */
const SCALE = 1_000_000;

const KIND_NUMBERS: Readonly<Record<QuotaKind, number>> = { DATASTORE: 0, NETWORK: 1, VM: 2, IMAGE: 3 };

/** Under which an account is kept: a small number, as it is looked up several times for each VM. */
const keyOf = (kind: QuotaKind, id: number): number => (id + 1) * 4 + KIND_NUMBERS[kind];

/** Limits and use of one kind of object: all VMs, or one datastore, network or image. */
export interface Quota {
  readonly kind: QuotaKind;
  /** The object's id; -1 for VMs. */
  readonly id: number;
  /** -1 takes the default, -2 is no limit. */
  limit(metric: Metric): number;
  used(metric: Metric): number;
}

/** What something takes: amounts of one kind. */
export interface Demand {
  readonly kind: QuotaKind;
  readonly id: number;
  readonly amounts: Readonly<Amounts>;
}

export type Amounts = Partial<Record<Metric, number>>;

interface AccountState {
  readonly kind: QuotaKind;
  readonly id: number;
  readonly unset: number;
  readonly limits: readonly number[];
  readonly millionths: readonly number[];
}

export class Account implements Quota {
  readonly kind: QuotaKind;
  readonly id: number;
  /** As {@link millionths} in the order of the kind's metrics. */
  readonly limits: number[];
  readonly millionths: number[];
  readonly #unset: number;

  constructor(kind: QuotaKind, id: number, unset: number) {
    this.kind = kind;
    this.id = id;
    this.#unset = unset;
    this.limits = METRICS[kind].map(() => unset);
    this.millionths = METRICS[kind].map(() => 0);
  }

  static revive({ kind, id, unset, limits, millionths }: AccountState): Account {
    const account = new Account(kind, id, unset);
    for (const [at, limit] of limits.entries()) account.limits[at] = limit;
    for (const [at, amount] of millionths.entries()) account.millionths[at] = amount;
    return account;
  }

  state(): AccountState {
    const { kind, id, limits, millionths } = this;
    return { kind, id, unset: this.#unset, limits, millionths };
  }

  limit(metric: Metric): number {
    return this.limits[this.#at(metric)] ?? this.#unset;
  }

  used(metric: Metric): number {
    return (this.millionths[this.#at(metric)] ?? 0) / SCALE;
  }

  get idle(): boolean {
    return this.millionths.every((amount) => amount === 0) && this.limits.every((limit) => limit === this.#unset);
  }

  #at(metric: Metric): number {
    return (METRICS[this.kind] as readonly Metric[]).indexOf(metric);
  }
}

interface BookState {
  readonly accounts: readonly AccountState[];
  readonly unset: number;
  readonly unlimited: boolean;
}

/** The quotas of one user or group, or the defaults of all. Those without limit and use do not exist. */
export class Book implements Iterable<Quota> {
  readonly #accounts = new Map<number, Account>();
  readonly #unset: number;
  #unlimited = true;

  constructor(unset: number) {
    this.#unset = unset;
  }

  static revive({ accounts, unset, unlimited }: BookState): Book {
    const book = new Book(unset);
    for (const state of accounts) book.#accounts.set(keyOf(state.kind, state.id), Account.revive(state));
    book.#unlimited = unlimited;
    return book;
  }

  state(): BookState {
    const accounts = Array.from(this.#accounts.values(), (account) => account.state());
    return { accounts, unset: this.#unset, unlimited: this.#unlimited };
  }

  /** Whether no limit was ever set. */
  get unlimited(): boolean {
    return this.#unlimited;
  }

  /** In the order in which they came to be. */
  [Symbol.iterator](): Iterator<Quota> {
    return this.#accounts.values();
  }

  find({ kind, id }: Pick<Demand, 'kind' | 'id'>): Account | undefined {
    return this.#accounts.get(keyOf(kind, id));
  }

  add({ kind, id, amounts }: Demand, sign: 1 | -1): void {
    const account = this.#open(kind, id);
    let at = 0;
    for (const metric of METRICS[kind]) {
      const amount = amounts[metric];
      if (amount !== undefined && amount !== 0)
        account.millionths[at] = (account.millionths[at] ?? 0) + sign * Math.round(amount * SCALE);
      at++;
    }
    this.#close(account);
  }

  /** Takes over all limits of a vector; those it does not mention are no longer set. */
  limit(kind: QuotaKind, id: number, vector: Vector): boolean {
    const limits = METRICS[kind].map((metric) => limitOf(vector.get(metric)) ?? this.#unset);
    if (limits.some((limit) => limit < 0 && limit !== UNLIMITED && limit !== this.#unset)) return false;
    this.#unlimited = false;
    const account = this.#open(kind, id);
    for (const [at, limit] of limits.entries()) account.limits[at] = limit;
    this.#close(account);
    return true;
  }

  #open(kind: QuotaKind, id: number): Account {
    const key = keyOf(kind, id);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = new Account(kind, id, this.#unset);
      this.#accounts.set(key, account);
    }
    return account;
  }

  #close(account: Account): void {
    if (account.idle) this.#accounts.delete(keyOf(account.kind, account.id));
  }
}

function limitOf(text: string | undefined): number | undefined {
  return text === undefined || !/^\s*[-+]?(\d+\.?\d*|\.\d+)$/.test(text) ? undefined : Number(text);
}

/** What would be too much, in oned's words. */
export function excess(book: Book, defaults: Book, demands: readonly Demand[]): string | undefined {
  if (book.unlimited && defaults.unlimited) return undefined;
  const wanted = new Map<string, number>();
  for (const demand of demands) {
    const { kind, id, amounts } = demand;
    const account = book.find(demand);
    for (const metric of METRICS[kind]) {
      const amount = amounts[metric];
      if (amount === undefined) continue;
      const key = `${kind} ${id} ${metric}`;
      const more = (wanted.get(key) ?? 0) + amount;
      wanted.set(key, more);
      const own = account?.limit(metric) ?? DEFAULT;
      const limit = own === DEFAULT ? (defaults.find(demand)?.limit(metric) ?? UNLIMITED) : own;
      if (limit === UNLIMITED || Math.round(((account?.used(metric) ?? 0) + more) * SCALE) <= limit * SCALE) continue;
      return `limit of ${limit} reached for ${metric} quota in ${kind}${id < 0 ? '' : ` with ID: ${id}`}`;
    }
  }
  return undefined;
}

/** The order in which oned applies new limits. */
const LIMIT_ORDER = ['DATASTORE', 'NETWORK', 'IMAGE', 'VM'] as const;

/** Sets limits from a template of VM, DATASTORE, NETWORK and IMAGE vectors. @throws OneError ACTION */
export function setLimits(book: Book, template: Template): void {
  for (const kind of LIMIT_ORDER) {
    for (const vector of template.vectors(kind)) {
      const id = kind === 'VM' ? '-1' : (vector.get('ID') ?? '');
      if (/^\s*-?\d+$/.test(id) && book.limit(kind, Number(id), vector)) continue;
      const text = [...vector].map(([name, value]) => `${name}=${value}`).join(',');
      throw new OneError('ACTION', `Negative limits or bad format in quota ${kind} = [ ${text} ]`);
    }
  }
}
