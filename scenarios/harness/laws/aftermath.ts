/** The laws of what is left: after a creation that failed, a deletion, a healing, a refusal; and of what stays as it is. */
import { type Check, type Law, shownBy } from '../law.ts';
import { type Answered, before, isDemanding, isMutation, overlap, type Runtime, type Story } from '../story.ts';
import { UPDATING_BOUND_MS } from './life-cycle.ts';
import { GOES_MS } from './patience.ts';

const succeeded = ({ response }: Answered): boolean => response.status < 300;

const deletionOf = (runtime: Runtime): Answered | undefined =>
  runtime.exchanges.find((exchange) => exchange.op === 'delete' && succeeded(exchange));

export const AFTERMATH: readonly Law[] = [
  {
    id: 'L9',
    sentence: 'A creation that fails leaves no runtime, no service and no VM.',
    reason: 'Nobody knows the ids of what is left, so nobody can delete it.',
    judge(story, check) {
      const { at: end, census } = story.censuses.at(-1) ?? {};
      if (end === undefined || census === undefined) return;
      const refused = story.answered.filter(({ op, response }) => op === 'create' && response.status >= 400);
      // What is on its way to its end is not left.
      if (refused.some(({ at }) => end - at < GOES_MS)) return;
      for (const exchange of refused) {
        const { response, entry } = exchange;
        if (entry === null) continue;
        if (response.status === 504 && story.deviations.has('post-504-leaves-service')) continue;
        const made = story.entries.filter((each) => each.cause === entry && /^(vm|service)\//.test(each.subject));
        const left = [...new Set(made.map(({ subject }) => subject))].filter((subject) => {
          const [kind, id] = subject.split('/');
          return kind === 'service'
            ? census.services.includes(Number(id))
            : census.vms.some((vm) => vm.id === Number(id));
        });
        check(left.length === 0, () =>
          shownBy(exchange, {
            subject: 'the cloud',
            expected: 'nothing left of it',
            seen: left.join(', '),
            edge: 'left',
          }),
        );
      }
      // A service that no runtime names, and no journal entry explains, was left by somebody, too.
      const owned = new Set([...story.runtimes.values()].map(({ first }) => first.SERVICE_ID));
      const stray = census.services.filter((id) => !owned.has(id));
      const [failure] = refused;
      if (failure === undefined || story.answered.some((each) => each.op === 'request' && isMutation(each))) return;
      const excused =
        refused.some(({ response }) => response.status === 504) ||
        story.exchanges.some((each) => each.op === 'create' && story.isTouched(each));
      check(stray.length === 0 || excused, () =>
        shownBy(failure, {
          subject: 'the cloud',
          expected: 'no service without a runtime',
          seen: `service ${stray.join(', ')}`,
          edge: 'left',
        }),
      );
    },
  },
  {
    id: 'L10',
    sentence: 'After a DELETE was answered with 204 the id answers 404 for ever.',
    reason: 'Deleted means deleted.',
    judge({ runtimes }, check) {
      for (const runtime of runtimes.values()) {
        const deletion = deletionOf(runtime);
        if (deletion === undefined) continue;
        for (const exchange of runtime.exchanges) {
          if (exchange.auth !== 'good' || !before(deletion, exchange) || badJson(exchange)) continue;
          check(exchange.response.status === 404, () =>
            shownBy(exchange, {
              subject: `runtime ${runtime.id}`,
              expected: '404',
              seen: `${exchange.response.status}`,
            }),
          );
        }
      }
    },
  },
  {
    id: 'L11',
    sentence: 'Once all is healed and quiet, every survivor is RUNNING, or in ERROR with a reason.',
    reason: 'A system that does not come back by itself is not resilient.',
    judge(story, check) {
      const healed = story.healings.at(-1);
      if (healed === undefined) return;
      const later = story.faults.some(({ at, phase }) => at >= healed.at && phase === 'began');
      if (later) return;
      for (const runtime of story.runtimes.values()) {
        const last = runtime.sights.at(-1);
        const touched = runtime.exchanges.some((exchange) => isMutation(exchange) && exchange.sent > healed.at);
        if (last === undefined || touched || last.exchange.at < healed.at + UPDATING_BOUND_MS) continue;
        if (isDemanding(runtime) || terminated(story, runtime)) continue;
        for (const [name, { STATE, ERROR }] of last.shown.functions) {
          check(STATE === 'RUNNING' || (STATE === 'ERROR' && (ERROR ?? '') !== ''), () =>
            shownBy(last.exchange, {
              subject: `${name} of runtime ${runtime.id}`,
              expected: 'RUNNING, or ERROR with a reason',
              seen: STATE,
              edge: STATE,
            }),
          );
        }
      }
    },
  },
  {
    id: 'L12',
    sentence: 'A request that is refused with 4xx changes nothing.',
    reason: 'A client may repeat, correct or drop what was refused.',
    judge(story, check) {
      for (const exchange of story.answered) {
        const { response, entry } = exchange;
        if (response.status < 400 || response.status > 499 || !isMutation(exchange) || exchange.step === null) continue;
        // Nothing is rolled back: what is refused for its DAAS has changed its FAAS before.
        if (exchange.op === 'put' && response.body.includes('Function VM DAAS')) continue;
        const done = story.effectsOf(entry);
        check(done.length === 0, () =>
          shownBy(exchange, {
            subject: 'the cloud',
            expected: 'no effect',
            seen: `${done[0]?.kind} of ${done[0]?.subject}`,
            edge: done[0]?.kind ?? '',
          }),
        );
      }
      for (const runtime of story.runtimes.values()) judgeNames(story, runtime, check);
    },
  },
  {
    id: 'L13',
    sentence: 'A runtime keeps its ID, its SERVICE_ID and its VM_IDs.',
    reason: 'They are the names by which all else is found.',
    judge({ runtimes }, check) {
      const names = ({ ID, SERVICE_ID, functions }: Runtime['first']): string =>
        JSON.stringify([ID, SERVICE_ID, [...functions].map(([name, { VM_ID }]) => [name, VM_ID])]);
      for (const { id, first, sights } of runtimes.values()) {
        for (const { exchange, shown } of sights) {
          check(names(shown) === names(first), () =>
            shownBy(exchange, { subject: `runtime ${id}`, expected: names(first), seen: names(shown) }),
          );
        }
      }
    },
  },
];

/** The body is refused before anybody looks for the runtime. */
const badJson = ({ response }: Answered): boolean => response.status === 400;

/** An administrator may have ended its VMs behind the engine's back. */
const terminated = (story: Story, runtime: Runtime): boolean =>
  story.omniscient
    ? [...runtime.first.functions.values()].some(({ VM_ID }) => story.changesOf(VM_ID).some(({ to }) => to === 'DONE'))
    : story.faults.length > 0;

/** A refused update must not have renamed the runtime, unless that is a deviation. */
function judgeNames(story: Story, runtime: Runtime, check: Check): void {
  if (story.deviations.has('rename-before-423')) return;
  for (const [n, { exchange, shown }] of runtime.sights.entries()) {
    const earlier = runtime.sights[n - 1];
    if (earlier === undefined) continue;
    const between = runtime.exchanges.filter(
      (each) =>
        isMutation(each) &&
        each !== earlier.exchange &&
        each !== exchange &&
        before(earlier.exchange, each) &&
        before(each, exchange),
    );
    const refused =
      between.length > 0 && between.every(({ response }) => response.status >= 400 && response.status < 500);
    const alone = !runtime.exchanges.some(
      (each) => isMutation(each) && (overlap(each, earlier.exchange) || overlap(each, exchange)),
    );
    if (!refused || !alone || isMutation(exchange) || story.unsure(runtime.id, exchange.at)) continue;
    check(shown.NAME === earlier.shown.NAME, () =>
      shownBy(exchange, {
        subject: `runtime ${runtime.id}`,
        expected: `NAME ${earlier.shown.NAME}`,
        seen: shown.NAME,
        edge: 'NAME',
      }),
    );
  }
}
