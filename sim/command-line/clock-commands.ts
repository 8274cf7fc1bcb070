/** `onesim clock`: the time of a running stand-in. */
import type { ClockAnswer } from '../api/control/clock.ts';
import { Problem } from '../problem.ts';
import { entryLine } from './lines.ts';
import { detailIn, durationIn, MANY, numberIn, type Subcommands } from './subcommand.ts';

const clocked = async (answer: Promise<ClockAnswer>) => {
  const json = await answer;
  return { json, lines: clockLines(json) };
};

export const CLOCK: Subcommands = {
  show: { usage: '', meaning: 'what time it is', words: [0, 0], run: ({ client }) => clocked(client.clock.get()) },
  freeze: {
    usage: '',
    meaning: 'time stands still',
    words: [0, 0],
    run: ({ client }) => clocked(client.clock.freeze()),
  },
  resume: { usage: '', meaning: 'time goes on', words: [0, 0], run: ({ client }) => clocked(client.clock.resume()) },
  scale: {
    usage: 'FACTOR',
    meaning: 'so many simulated seconds a second, such as 60x',
    words: [1, 1],
    run: ({ client, words: [factor = ''] }) =>
      clocked(client.clock.scale(numberIn('FACTOR', factor.replace(/x$/, '')))),
  },
  advance: {
    usage: 'DURATION',
    meaning: 'such as 90s, 10m or 1h',
    words: [1, 1],
    run: ({ client, words: [given = ''] }) => clocked(client.clock.advance(durationIn('DURATION', given))),
  },
  step: {
    usage: '[N]',
    meaning: 'the next event, or the next N',
    words: [0, 1],
    run: ({ client, words: [n = '1'] }) => clocked(client.clock.step(numberIn('N', n))),
  },
  'run-until-idle': {
    usage: '[--max-events N]',
    meaning: 'until nothing more is going to happen',
    flags: ['--max-events'],
    words: [0, 0],
    run: ({ client, flags }) => clocked(client.clock.runUntilIdle(flags['--max-events'])),
  },
  'run-until': {
    usage: 'KIND [SUBJECT] [KEY=VALUE…] [--max DURATION] [--max-events N]',
    meaning: 'until that is journalled: vm.state vm/1 to=RUNNING',
    flags: ['--max', '--max-events'],
    words: [1, MANY],
    run({ client, words, flags }) {
      const [kind, subject, ...more] = words.filter((word) => !word.includes('='));
      if (more.length > 0) throw new Problem(`clock run-until: ${JSON.stringify(more[0])} is no KEY=VALUE`);
      const { '--max': maxMs, '--max-events': maxEvents } = flags;
      const entry = { ...(kind && { kind }), ...(subject && { subject }), ...detailIn(words) };
      const bounds = { ...(maxMs && { maxMs }), ...(maxEvents && { maxEvents }) };
      return clocked(client.clock.runUntil(entry, bounds));
    },
  },
};

function clockLines({ now, factor, events, nextDue, waiters }: ClockAnswer): string[] {
  const pace = factor === 0 ? 'frozen' : factor === 1 ? 'real time' : `${factor}x`;
  return [
    ...events.map(entryLine),
    `${now}  ${pace}${nextDue === null ? '; nothing is scheduled' : `; next event at ${nextDue}`}`,
    ...waiters.map(({ what, due }) => `waiting until ${due}: ${what}`),
  ];
}
