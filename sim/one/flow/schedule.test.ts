import { expect, test } from 'vitest';
import { isCron, isTime } from './schedule.ts';

test.each(['1400000000', '2026-11-21 10:00:00', '2026-11-21T10:00:00Z', '10:30', '2026/11/21', '21 Nov 2026'])(
  'takes %s for a time',
  (text) => expect(isTime(text)).toBe(true),
);

test.each(['', 'never', '2026-13-01', '2026-02-30 10:00', '25:00', 'soon!'])('does not take %s for a time', (text) =>
  expect(isTime(text)).toBe(false),
);

test.each(['* * * * *', '0 2,10 * * 1-5', '*/15 0-6/2 1 jan-mar sun', '@daily'])('takes %s for a recurrence', (text) =>
  expect(isCron(text)).toBe(true),
);

test.each(['', '* * * *', '60 * * * *', '* * 0 * *', '*/0 * * * *', 'a b c d e', '@sometimes', '1-2-3 * * * *'])(
  'does not take %s for a recurrence',
  (text) => expect(isCron(text)).toBe(false),
);
