/** The laws of doing things twice. */
import { functionsIn } from '../answers.ts';
import { type Law, shownBy } from '../law.ts';
import { before, overlap, type Runtime, type Story } from '../story.ts';

/** Neighbours among the exchanges of a runtime, one over before the other. */
function* pairs({ exchanges }: Runtime) {
  for (const [n, second] of exchanges.entries()) {
    const first = exchanges[n - 1];
    if (first !== undefined && before(first, second)) yield [first, second] as const;
  }
}

/** Whether nothing but reading has happened between two points of the journal. */
function quiet(story: Story, from: number | null, to: number | null): boolean {
  if (from === null || to === null) return false;
  for (let seq = from + 1; seq < to; seq++) {
    const entry = story.entry(seq);
    if (entry !== undefined && entry.kind !== 'answer' && entry.kind !== 'request') return false;
  }
  return true;
}

export const REPETITION: readonly Law[] = [
  {
    id: 'M1',
    sentence: 'Two reads with no event between them are answered alike.',
    reason: 'A read that changes what the next one sees cannot be trusted.',
    judge(story, check) {
      for (const runtime of story.runtimes.values()) {
        for (const [first, second] of pairs(runtime)) {
          if (first.op !== 'get' || second.op !== 'get' || first.as !== second.as || first.auth !== second.auth)
            continue;
          if (!quiet(story, first.until, second.entry)) continue;
          const rival = runtime.exchanges.some(
            ({ op, sent, at }) => op !== 'get' && sent <= second.at && at >= first.sent && op !== 'create',
          );
          if (rival) continue;
          check(first.response.body === second.response.body && first.response.status === second.response.status, () =>
            shownBy(second, {
              subject: `runtime ${runtime.id}`,
              expected: first.response.body,
              seen: second.response.body,
            }),
          );
        }
      }
    },
  },
  {
    id: 'M2',
    sentence: 'The same update twice leaves what the first has left.',
    reason: 'A client that lost the answer sends it again.',
    judge(story, check) {
      for (const runtime of story.runtimes.values()) {
        for (const [first, second] of pairs(runtime)) {
          if (first.op !== 'put' || second.op !== 'put' || first.request.body !== second.request.body) continue;
          if (first.response.status !== 200 || second.response.status !== 200) continue;
          // A VM that was still on its way has gone on meanwhile.
          if (functionsIn(first.response.body).some(({ state }) => state !== 'RUNNING')) continue;
          const rival = runtime.exchanges.some(
            (each) => each.op === 'put' && (overlap(each, first) || overlap(each, second)),
          );
          if (rival || story.unsure(runtime.id, second.at)) continue;
          const vms = [...runtime.first.functions.values()].map(({ VM_ID }) => VM_ID);
          if (vms.some((vm) => story.disturbed(vm, first.sent, second.at))) continue;
          // Upstream, the first answer still shows the old name.
          const late = story.deviations.has('rename-shows-late');
          const plain = (body: string): string => (late ? body.replace(/"NAME":"(?:[^"\\]|\\.)*"/, '') : body);
          check(plain(first.response.body) === plain(second.response.body), () =>
            shownBy(second, {
              subject: `runtime ${runtime.id}`,
              expected: first.response.body,
              seen: second.response.body,
            }),
          );
        }
      }
    },
  },
  {
    id: 'M3',
    sentence: 'A second DELETE answers 404, and there is one tear-down.',
    reason: 'A client that lost the answer sends it again.',
    judge(story, check) {
      for (const runtime of story.runtimes.values()) {
        const deletions = runtime.exchanges.filter(({ op, auth }) => op === 'delete' && auth === 'good');
        const done = deletions.find(({ response }) => response.status === 204);
        if (done === undefined) continue;
        for (const again of deletions.filter((each) => before(done, each))) {
          check(again.response.status === 404, () =>
            shownBy(again, { subject: `runtime ${runtime.id}`, expected: '404', seen: `${again.response.status}` }),
          );
          const effects = story.effectsOf(again.entry);
          check(effects.length === 0, () =>
            shownBy(again, {
              subject: `runtime ${runtime.id}`,
              expected: 'one tear-down',
              seen: `${effects[0]?.kind} of ${effects[0]?.subject}`,
              edge: 'again',
            }),
          );
        }
        for (const { VM_ID } of runtime.first.functions.values()) {
          const ends = story.changesOf(VM_ID).filter(({ to }) => to === 'DONE').length;
          check(ends <= 1, () =>
            shownBy(done, { subject: `vm/${VM_ID}`, expected: 'one end', seen: `${ends}`, edge: 'ends' }),
          );
        }
      }
    },
  },
];
