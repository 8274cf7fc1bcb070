/**
 * Furnishing that is done over and over, as of the many worlds of a run: what a world file makes of a fresh cloud is
 * kept when it has been made twice, and from then on a cloud like those is given a copy. Only what follows from the
 * seed is drawn anew.
 */
import type { GatekeeperFurnishing } from '../api/gatekeeper/furnishing.ts';
import { type CastInstance, castOf } from '../kernel/cast.ts';
import { Unshared } from '../kernel/graph.ts';
import type { Holders } from '../kernel/held.ts';
import { Book } from '../one/access/quota-book.ts';
import { giveSecret } from '../one/access/user.ts';
import type { Cloud } from '../one/cloud.ts';
import { type DocumentState, StoredDocument } from '../one/flow/stored-document.ts';
import { IdList } from '../one/id-list.ts';
import { Leases } from '../one/resources/lease.ts';
import { SubAttributes } from '../one/syntax/sub-attributes.ts';
import { Template } from '../one/syntax/syntax.ts';
import { deployId } from '../one/vm/driver.ts';
import { uuidOf } from '../one/vm/instantiate.ts';
import { furnish } from './furnish.ts';
import type { WorldFile } from './world-file.ts';

type Furnish = (cloud: Cloud) => GatekeeperFurnishing;

/** So many kinds of cloud are remembered: those of a run differ in their timing, and in little else. */
const KINDS = 16;

const furnishers = new WeakMap<WorldFile, Furnish>();

/** What furnishes clouds as the file says; the same for the same file. @throws Problem */
export function furnisher(worldFile: WorldFile): Furnish {
  const furnish = furnishers.get(worldFile) ?? newFurnisher(worldFile);
  furnishers.set(worldFile, furnish);
  return furnish;
}

function newFurnisher(worldFile: WorldFile): Furnish {
  const met: Ground[] = [];
  const moulds: Mould[] = [];
  return (cloud) => {
    const ground = groundOf(cloud);
    const mould = moulds.find((each) => serves(each.ground, ground));
    if (mould !== undefined) return fill(cloud, mould);
    const furnishing = furnish(cloud, worldFile);
    const anySeed = cloud.random.drawn.every((name) => DRAWN_ANEW.includes(name));
    const own = anySeed ? { ...ground, seed: null } : ground;
    if (met.some((each) => serves(each, ground))) latest(moulds, mouldOf(cloud, own, furnishing));
    else latest(met, own);
    return furnishing;
  };
}

function latest<T>(all: T[], one: T): void {
  all.push(one);
  if (all.length > KINDS) all.shift();
}

/** What the result depends on beside the world file. */
interface Ground {
  /** null where the result is the same for all, but for what is drawn anew. */
  readonly seed: number | null;
  readonly now: number;
  readonly config: object;
  /** What there is already: as much as in any fresh cloud, unless somebody has been there before. */
  readonly there: string;
}

function groundOf(cloud: Cloud): Ground {
  const { clock, journal, judge, random } = cloud;
  const ids = Object.values(cloud.pools).map(({ nextId }) => nextId);
  return {
    seed: random.seed,
    now: clock.now,
    config: cloud.config,
    there: [...ids, journal.length, journal.capacity, clock.pending, clock.cause, judge.idle].join(),
  };
}

/** Whether what was made on one ground serves on another. */
const serves = (one: Ground, other: Ground): boolean =>
  (one.seed === null || one.seed === other.seed) &&
  one.now === other.now &&
  one.there === other.there &&
  isSame(one.config, other.config);

/** Field by field. */
const isSame = (one: object, other: object): boolean =>
  Object.entries(one).every(([name, value]) => Reflect.get(other, name) === value);

/** What has become of a cloud. */
interface Mould {
  readonly ground: Ground;
  /** A copy, by the name of the part. */
  readonly states: () => Readonly<Record<string, unknown>>;
  /** Never changes, so all share it. */
  readonly furnishing: GatekeeperFurnishing;
}

/** What is drawn while a cloud is furnished and can be drawn anew; of what is drawn beside it a mould knows nothing. */
const DRAWN_ANEW = ['user.secret', 'vm'];

function mouldOf(cloud: Cloud, ground: Ground, furnishing: GatekeeperFurnishing): Mould {
  const holders = Object.entries(holdersOf(cloud));
  const states = Object.fromEntries(holders.map(([name, holder]) => [name, holder.state()]));
  return { ground, states: castOf(states, INSTANCES), furnishing };
}

function fill(cloud: Cloud, { states, furnishing }: Mould): GatekeeperFurnishing {
  const given = states();
  const holders = holdersOf(cloud);
  for (const name in holders) holders[name]?.restore(given[name]);
  for (const user of cloud.users) giveSecret(cloud, user);
  for (const vm of cloud.vms) {
    Object.assign(vm, { uuid: uuidOf(cloud, vm.id) });
    if (vm.deployId !== '') vm.deployId = deployId(vm);
  }
  // Who has watched a cloud come to be is told of one that is there at once.
  for (const datastore of cloud.datastores) cloud.datastoreUpdated(datastore);
  for (const host of cloud.hosts) cloud.hostUpdated(host);
  for (const vm of cloud.vms) cloud.vmCapacityChanged(vm);
  return furnishing;
}

/** Of what furnishing changes. */
const holdersOf = (cloud: Cloud): Holders => ({
  clock: cloud.clock,
  journal: cloud.journal,
  ...cloud.pools,
  ...cloud.parts,
});

/** The classes whose instances are part of a cloud. */
const INSTANCES = new Map<object, CastInstance>([
  // Where a holder says that nothing in it is met anywhere else.
  [Unshared.prototype, (whole: Unshared<unknown>, cast) => cast(whole.value)],
  [SubAttributes.prototype, (attributes: SubAttributes) => () => attributes],
  [
    Template.prototype,
    (template: Template) => {
      const kept = template.clone();
      return () => kept.clone();
    },
  ],
  [
    Leases.prototype,
    (leases: Leases) => {
      const state = leases.state();
      return () => Leases.revive(state);
    },
  ],
  [
    IdList.prototype,
    (list: IdList) => {
      const { ids, size } = list.state();
      const kept = [...ids];
      return () => IdList.revive({ ids: [...kept], size });
    },
  ],
  [
    StoredDocument.prototype,
    (document: StoredDocument, cast) => {
      const make = cast(document.state());
      return (met) => StoredDocument.revive(make(met) as DocumentState);
    },
  ],
  [
    Book.prototype,
    (book: Book) => {
      const state = structuredClone(book.state());
      return () => Book.revive(state);
    },
  ],
]);
