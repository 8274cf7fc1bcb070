/** The journal: dense numbers, a bounded ring, and the chain of causes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock } from './clock.ts';
import { Journal } from './journal.ts';

function journal(capacity?: number) {
  const clock = new Clock(1000);
  return { clock, journal: new Journal(clock, capacity) };
}

const seqs = (entries: Iterable<{ readonly seq: number }>): number[] => Array.from(entries, ({ seq }) => seq);

describe('Journal', () => {
  it('records when, what, and on whose behalf', () => {
    const { clock, journal: log } = journal();
    const request = log.append('request', 'runtime/5', { status: 201 });
    const boot = clock.channel<string>('boot', (vm) => {
      log.append('vm.state', vm, { to: 'RUNNING' });
    });
    clock.because(request, () => boot(250, 'vm/13'));
    clock.advanceNow(1000);
    expect([...log.since()]).toEqual([
      { seq: 1, at: 1000, cause: 0, kind: 'request', subject: 'runtime/5', detail: { status: 201 } },
      { seq: 2, at: 1250, cause: 1, kind: 'vm.state', subject: 'vm/13', detail: { to: 'RUNNING' } },
    ]);
    expect(log.why(2).map(({ kind }) => kind)).toEqual(['vm.state', 'request']);
    expect(log.why(3)).toEqual([]);
  });

  it('keeps the last entries, up to its capacity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(60), fc.nat(60), (capacity, length, after) => {
        const { journal: log } = journal(capacity);
        for (let i = 0; i < length; i++) expect(log.append('request', `${i}`)).toBe(i + 1);
        const all = Array.from({ length }, (_, i) => i + 1);
        const kept = all.slice(-capacity);
        expect(log.length).toBe(length);
        expect(seqs(log.since())).toEqual(kept);
        expect(seqs(log.since(after))).toEqual(kept.filter((seq) => seq > after));
        for (const seq of [0, ...all, length + 1]) expect(log.entry(seq)?.seq).toBe(kept.find((one) => one === seq));
      }),
      { seed: 1 },
    );
  });

  it('follows causes as far back as the ring reaches', () => {
    const { clock, journal: log } = journal(3);
    for (let i = 0; i < 5; i++) clock.because(log.length, () => log.append('vm.state', 'vm/1'));
    expect(seqs(log.why(5))).toEqual([5, 4, 3]);
    expect(log.entry(3)?.cause).toBe(2);
  });

  it('can hold a single entry', () => {
    const { clock, journal: log } = journal(1);
    log.append('request', 'a');
    clock.because(1, () => log.append('request', 'b'));
    expect(seqs(log.since())).toEqual([2]);
    expect(log.why(2)).toHaveLength(1);
  });

  it('can be read while it is written to', () => {
    const { journal: log } = journal(3);
    log.append('request', 'a');
    const read: number[] = [];
    for (const { seq } of log.since()) {
      read.push(seq);
      // After entry 2 comes a burst that drops 3 and 4 before they are read.
      if (seq === 1) log.append('request', 'b');
      if (seq === 2) for (let i = 0; i < 5; i++) log.append('request', 'burst');
    }
    expect(read).toEqual([1, 2, 5, 6, 7]);
  });

  it('cuts texts that are longer than any of ours', () => {
    const { journal: log } = journal();
    const long = 'é'.repeat(5000);
    const seq = log.append('request', long, { user: long, api: 'engine', status: 200 });
    const cut = `${'é'.repeat(1000)}…`;
    expect(log.entry(seq)).toMatchObject({ subject: cut, detail: { user: cut, api: 'engine', status: 200 } });
  });

  it('refuses a cause that is not written yet, so that every chain ends', () => {
    const { clock, journal: log } = journal();
    expect(() => clock.because(1, () => log.append('request', 'a'))).toThrow('entry 1 cannot cause entry 1');
    expect(log.length).toBe(0);
  });
});
