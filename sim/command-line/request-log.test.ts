import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logLine } from './request-log.ts';

const EXCHANGE = {
  api: 'engine',
  method: 'POST',
  path: '/serverless-runtimes',
  user: 'alice',
  status: 201,
  at: Date.UTC(2026, 0, 1),
};

test('an answer is a line of JSON for programs', () => {
  expect(JSON.parse(logLine(EXCHANGE, 'json', false))).toEqual({
    event: 'request',
    ...EXCHANGE,
    at: '2026-01-01T00:00:00.000Z',
  });
});

test('an answer is a line to read for people', () => {
  expect(logLine(EXCHANGE, 'pretty', false)).toBe(
    '2026-01-01T00:00:00.000Z  201  POST   /serverless-runtimes  alice  engine',
  );
  expect(logLine({ ...EXCHANGE, user: '', status: 404 }, 'pretty', true)).toBe(
    '2026-01-01T00:00:00.000Z  \u001b[33m404\u001b[0m  POST   /serverless-runtimes  engine',
  );
});

test('a client cannot write to the terminal of whoever reads the log', () => {
  const line = logLine({ ...EXCHANGE, user: 'eve\u001b[2J\r\nfake\u009b', path: '/\u0007' }, 'pretty', false);
  expect(line).toBe('2026-01-01T00:00:00.000Z  201  POST   /?  eve?[2J??fake?  engine');
});

test('a request that no route takes is a line with the nearest', () => {
  const missed = {
    ...EXCHANGE,
    path: '/serverless-runtime',
    status: 404,
    hint: 'no such path; the nearest is POST /x',
  };
  expect(logLine(missed, 'pretty', false)).toMatch(/ {2}alice {2}engine {2}\(no such path; the nearest is POST \/x\)$/);
  expect(JSON.parse(logLine(missed, 'json', false)).hint).toBe(missed.hint);
});

test('a line of JSON is what it is of, whatever a client sends', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.string(),
      fc.date({ noInvalidDate: true }),
      (path, user, hint, date) => {
        const exchange = { ...EXCHANGE, path, user, hint, at: date.getTime() };
        expect(JSON.parse(logLine(exchange, 'json', false))).toEqual({
          event: 'request',
          ...exchange,
          at: date.toISOString(),
        });
      },
    ),
    { seed: 1 },
  );
});
