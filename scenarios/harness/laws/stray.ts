/** What there is of VMs and services that belong to no runtime, and to nobody who has asked for them otherwise. */
import type { Entry } from '../../../sim/index.ts';
import { isMutation, type Story } from '../story.ts';
import type { CensusLine, ExchangeLine } from '../trace.ts';
import { GOES_MS } from './patience.ts';

interface Stray {
  /** What has made it. */
  readonly because: Entry;
  /** What was asked, where a client's request has led to it. */
  readonly exchange: ExchangeLine | undefined;
}

/** Each VM and service of a census, with what is known of it where it is astray. */
export function* straysIn(story: Story, { at, census }: CensusLine): Generator<readonly [string, Stray | undefined]> {
  const owned = new Set(
    [...story.runtimes.values()].flatMap(({ first }) => [
      `service/${first.SERVICE_ID}`,
      ...Array.from(first.functions.values(), ({ VM_ID }) => `vm/${VM_ID}`),
    ]),
  );
  const there = [...census.vms.map(({ id }) => `vm/${id}`), ...census.services.map((id) => `service/${id}`)];
  for (const subject of there) {
    const birth = owned.has(subject) ? undefined : birthOf(story, subject);
    // What has just been made has not got its owner yet.
    const isYoung = birth !== undefined && at - (birth.at - story.run.epochMs) < GOES_MS;
    yield [subject, birth === undefined || isYoung ? undefined : strayBy(story, birth)];
  }
}

/** The first that the journal has of a VM or a service; none of what was there before the first request. */
function birthOf(story: Story, subject: string): Entry | undefined {
  const [kind, id] = subject.split('/');
  const first =
    kind === 'vm'
      ? story.changesOf(Number(id)).find(({ from }) => from === 'INIT')?.entry
      : story.entries.find((entry) => entry.kind === 'service.state' && entry.subject === subject);
  if (first === undefined) return undefined;
  const opening = story.entries.find((entry) => entry.kind === 'request');
  return opening !== undefined && opening.seq < first.seq ? first : undefined;
}

function strayBy(story: Story, birth: Entry): Stray | undefined {
  const because = story.why(birth).at(-1) ?? birth;
  const exchange = because.kind === 'request' ? story.exchanges.find(({ entry }) => entry === because.seq) : undefined;
  return isExcused(story, birth, exchange) ? undefined : { because, exchange };
}

/** What OpenNebula was asked for is its client's; what a creation leaves that was not answered with 201 is another law's. */
function isExcused(story: Story, birth: Entry, exchange: ExchangeLine | undefined): boolean {
  if (exchange === undefined) return story.why(birth).some(({ kind }) => kind === 'fault');
  if (exchange.op === 'request' || exchange.step === null) return true;
  if (exchange.op !== 'create') return false;
  // Who changes templates may have a creation make more.
  if (story.exchanges.some((each) => each.op === 'request' && isMutation(each))) return true;
  return exchange.response?.status !== 201 || story.isTouched(exchange);
}
