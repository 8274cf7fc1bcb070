/**
 * Nothing that a world holds is forgotten by its snapshot: every object that can be reached from a simulator, private
 * fields and variables of closures included, is compared with its counterpart in a simulator that was restored. The
 * debugger's own protocol sees them all, so a field that somebody adds is compared from that day on.
 */
import { Session } from 'node:inspector';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSimulator, loadSimulator } from '../sim/index.ts';
import { perform, steps } from './wandering.ts';

/** A value as the debugger shows it. */
interface Seen {
  readonly type: string;
  readonly className?: string;
  readonly description?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly objectId?: string;
}

interface Part {
  readonly name: string;
  readonly value?: Seen;
}

/** Fields that need not be the same, by class; `closure` stands for the variables of functions. */
const DERIVED: Readonly<Record<string, string>> = {
  'EventQueue.#channels': 'what stood in cells that are free now',
  'EventQueue.#causes': 'likewise',
  'EventQueue.#cells': 'likewise',
  'EventQueue.#dues': 'likewise',
  'EventQueue.#seqs': 'likewise',
  'Clock.#horizon': 'of the latest move, which is over',
  'Clock.#roundEnd': 'likewise',
  'Clock.#rounds': 'likewise',
  'Pace.#hostStart': 'the time of the host',
  'Pace.#simulatedStart': 'where it was then',
  'Random.#uuidKeys': 'a memo of keys',
  'Random.#streamKeys': 'likewise',
  'Sessions.#proven': 'a memo of sessions, which are proven again',
  'Fleet.#version': 'counts changes for who watches, which is somebody on a connection',
  'Guest.#loads': 'follows from the history of its VM',
  'Guest.#labels': 'likewise',
  'Guest.#phaseMs': 'likewise',
  'Guest.#stretches': 'likewise',
  'Guest.#known': 'likewise',
  'Guest.#knownTo': 'likewise',
  'closure.streamKey': 'the memo of a stream of chance',
  'closure.known': 'the memo of `remembered`',
  'Hono.router': "Hono's own, and the same whatever happens",
};

const NAMES = '__onesim_live';

class Debugger {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    Reflect.set(globalThis, NAMES, new Map<object, number>());
  }

  close(): void {
    this.#session.disconnect();
    Reflect.deleteProperty(globalThis, NAMES);
  }

  see(object: object): Seen {
    Reflect.set(globalThis, `${NAMES}_now`, object);
    return this.#post<{ result: Seen }>('Runtime.evaluate', { expression: `globalThis.${NAMES}_now` }).result;
  }

  /** The same number for the same object. */
  identity(objectId: string): number {
    const functionDeclaration = `function () {
      const known = globalThis.${NAMES};
      if (!known.has(this)) known.set(this, known.size);
      return known.get(this);
    }`;
    return this.#post<{ result: Seen }>('Runtime.callFunctionOn', { objectId, functionDeclaration }).result
      .value as number;
  }

  partsOf(objectId: string): readonly Part[] {
    const {
      result,
      privateProperties = [],
      internalProperties = [],
    } = this.#post<Record<string, readonly Part[]>>('Runtime.getProperties', { objectId, ownProperties: true });
    const entries = internalProperties.filter(({ name }) => name === '[[Entries]]');
    const scopes = internalProperties.find(({ name }) => name === '[[Scopes]]');
    return [...(result ?? []), ...privateProperties, ...entries, ...this.#closureOf(scopes)];
  }

  /** The variables that a function has kept; not those of its module and of all, which are the last two. */
  #closureOf(scopes: Part | undefined): readonly Part[] {
    if (scopes?.value?.objectId === undefined) return [];
    const all = this.partsOf(scopes.value.objectId).filter(({ name }) => /^\d+$/.test(name));
    return all
      .slice(0, -2)
      .map(({ name, value }) => ({ name: `scope${name}`, ...(value === undefined ? {} : { value }) }));
  }

  #post<R>(method: string, params: object): R {
    let answer: { readonly error: unknown; readonly result: R } | undefined;
    this.#session.post(method, params, (error: unknown, result: unknown) => {
      answer = { error, result: result as R };
    });
    if (answer === undefined || answer.error) throw new Error(`${method}: ${JSON.stringify(answer?.error)}`);
    return answer.result;
  }
}

/** Where two graphs differ, as paths. */
function differences(one: object, other: object): string[] {
  const inspector = new Debugger();
  const found: string[] = [];
  const compared = new Set<string>();

  function compare(a: Seen | undefined, b: Seen | undefined, path: string): void {
    if (a?.objectId === undefined || b?.objectId === undefined) {
      const [x, y] = [a, b].map((seen) => `${seen?.type} ${seen?.unserializableValue ?? JSON.stringify(seen?.value)}`);
      if (x !== y) found.push(`${path}: ${x}, ${y}`);
      return;
    }
    if (a.className !== b.className) {
      found.push(`${path}: ${a.className}, ${b.className}`);
      return;
    }
    const [x, y] = [inspector.identity(a.objectId), inspector.identity(b.objectId)];
    if (x === y || compared.has(`${x} ${y}`)) return;
    compared.add(`${x} ${y}`);
    const [mine, theirs] = [inspector.partsOf(a.objectId), inspector.partsOf(b.objectId)];
    const owner = /^(Closure|Block)/.test(a.description ?? '') ? 'closure' : a.className;
    const named = new Map(theirs.map((part) => [part.name, part.value]));
    for (const { name, value } of mine) {
      if (Object.hasOwn(DERIVED, `${owner}.${name}`)) {
        named.delete(name);
        continue;
      }
      if (!named.has(name)) found.push(`${path}.${name}: missing`);
      else if (value !== undefined) compare(value, named.get(name), `${path}.${name}`);
      named.delete(name);
    }
    for (const name of named.keys()) found.push(`${path}.${name}: added`);
  }

  compare(inspector.see(one), inspector.see(other), '');
  inspector.close();
  return found;
}

/** Something to ask each API. */
const ONE_OF_EACH = [
  { call: 'GET /server/version' },
  { call: 'POST /RPC2', body: '<methodCall><methodName>one.system.version</methodName><params/></methodCall>' },
  { call: 'GET /service', user: 'oneadmin:opennebula' },
  { call: 'GET /metrics' },
  { call: 'GET /functions' },
  { call: 'GET /_onesim/clock' },
];

const FAST = { timing: { name: 'fast' } } as const;

it('a restored world lacks nothing, and has nothing of its own', async () => {
  for (const given of fc.sample(steps(60), { seed: 1, numRuns: 3 })) {
    const original = await loadSimulator(FAST);
    await perform(original, given);
    const other = createSimulator(original.world.config);
    other.restore(original.snapshot());
    // An API is made when it is first asked.
    for (const simulator of [original, other]) await perform(simulator, ONE_OF_EACH);
    expect(differences(original, other)).toEqual([]);
  }
}, 120_000);

it('the comparison sees what has changed since, wherever it is kept', async () => {
  const original = await loadSimulator(FAST);
  const other = createSimulator(original.world.config);
  other.restore(original.snapshot());
  await perform(original, ONE_OF_EACH);
  await perform(other, [...ONE_OF_EACH, { call: 'POST /sessions', body: { username: 'sonata', password: '1234' } }]);
  const changed = differences(original, other).join('\n');
  for (const field of ['sessions.#active', 'sessions.#opened', 'journal.#ring', 'journal.#seq']) {
    expect(changed).toContain(field);
  }
}, 60_000);
