/** What a look shows of a function, beside the VM itself as the next census has it: where nothing has happened to it in between. */
import { type Answered, type FUNCTIONS, isMutation, type Runtime, type Story } from '../story.ts';
import type { Census } from '../trace.ts';

type Fields = Runtime['first']['functions'] extends ReadonlyMap<unknown, infer F> ? F : never;

interface Counterpart {
  readonly exchange: Answered;
  readonly name: (typeof FUNCTIONS)[number];
  readonly fields: Fields;
  readonly vm: Census['vms'][number];
}

/** Every look at a runtime that a census bears witness to. */
export function* counterpartsOf(story: Story, { sights }: Runtime): Generator<Counterpart> {
  const { censuses } = story;
  const asked = story.exchanges.filter((each) => each.op === 'request' && isMutation(each));
  let n = 0;
  for (const { exchange, shown } of sights) {
    const { until, entry } = exchange;
    if (until === null || entry === null) continue;
    while ((censuses[n]?.until ?? until) < until) n++;
    const line = censuses[n];
    if (line === undefined) return;
    // What somebody asks of OpenNebula himself may change a VM and leave its state as it is.
    if (asked.some((each) => (each.until ?? 0) >= entry && (each.entry ?? 0) <= line.until)) continue;
    for (const [name, fields] of shown.functions) {
      const vm = line.census.vms.find(({ id }) => id === fields.VM_ID);
      if (vm === undefined || vm.changing || hasChanged(story, vm.id, exchange, line.until)) continue;
      yield { exchange, name, fields, vm };
    }
  }
}

/** Whether a VM has changed since it was looked at, or in the instant of the look: then nobody knows which came first. */
function hasChanged(story: Story, vm: number, { at, entry }: Answered, until: number): boolean {
  const last = story.changesOf(vm).findLast((change) => change.entry.seq <= until);
  return last !== undefined && last.at >= at && last.entry.seq > (entry ?? 0);
}
