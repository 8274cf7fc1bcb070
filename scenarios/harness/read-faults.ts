/**
 * What is wrong with the faults of a scenario that no schema can say: that one can touch nothing in the scenario's world,
 * or that its parts make no sense together. It is the stand-in's own check, in the words of the scenario.
 */
import { createSimulator, type Flaw, furnishing, type Path, PROFILES, readFault, type World } from '../../sim/index.ts';
import { meantBy, type Own, wireFault } from './answers.ts';
import { type Fault, faultsOf, type Scenario } from './scenario.ts';

type Armed = Extract<Fault, { readonly kind: 'driver' | 'declared' }>;

const isArmed = (fault: Fault): fault is Armed => fault.kind === 'driver' || fault.kind === 'declared';

/** @param elsewhere whether it is for a server with a world that nobody knows */
export async function faultFlaws(scenario: Scenario, elsewhere: boolean): Promise<Flaw[]> {
  const faults = faultsOf(scenario);
  if (!faults.some(isArmed)) return [];
  const { profile = 'upstream', world: name = 'default' } = scenario;
  const { world } = createSimulator({ deviations: PROFILES[profile], furnish: await furnishing(name) });
  return faults.flatMap((fault, n) => {
    if (!isArmed(fault)) return [];
    // What is not there from the start may be by then.
    const known = elsewhere || fault.after !== undefined ? wordsAlone(world) : world.vocabulary;
    const read = readFault(wireFault(fault, ownOf(fault)), known, elsewhere ? undefined : world.clock.now);
    return Array.isArray(read) ? read.map((flaw) => inItsWords(flaw, fault, ['faults', n])) : [];
  });
}

/** What is called the same in every world. */
const wordsAlone = ({ vocabulary }: World): World['vocabulary'] => ({
  ...vocabulary,
  names: (part, selector) => (THINGS.includes(part) ? undefined : vocabulary.names(part, selector)),
});

/** Parts of a selector that name what there is in a world. */
const THINGS: readonly string[] = ['user', 'host', 'name'];

/** Stands for what has not been made yet. */
function ownOf(fault: Armed): Own | undefined {
  if (fault.ref === undefined) return undefined;
  const what = meantBy(fault);
  return what === 'host' ? { host: '*' } : what === 'vm' ? { vm: NEXT } : { service: NEXT };
}

const NEXT = Number.MAX_SAFE_INTEGER;

/** Where a driver's fault has what the stand-in calls otherwise. */
const DRIVERS: Readonly<Record<string, string>> = { operation: 'action' };

function inItsWords({ path, problem, key }: Flaw, fault: Armed, at: Path): Flaw {
  const [part, name = ''] = path;
  if (fault.kind === 'driver') return { path: [...at, DRIVERS[name] ?? name], problem };
  const { selector } = fault.fault;
  if (part === 'selector' && fault.ref !== undefined && !Object.hasOwn(selector, name)) {
    return { path: [...at, 'ref'], problem: `it means nothing to a fault of the layer ${selector.layer}` };
  }
  return { path: [...at, 'fault', ...path], problem, ...(key && { key }) };
}
