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
