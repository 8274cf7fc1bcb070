/** What is asked and told in plain texts is what standard requests and answers say. */
import { afterEach, expect, test } from 'vitest';
import { loadSimulator, type Plea, type Simulator, type Told } from '../index.ts';
import { plainAnswer, plainRequest, standard, toldOf } from './plain.ts';

const ORIGIN = 'http://127.0.0.1:1337';
const ALICE = { Authorization: `Basic ${Buffer.from('alice:alice').toString('base64')}` };
const JSON_BODY = { ...ALICE, 'Content-Type': 'application/json' };
const body = '{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function"}}}';

let simulators: Simulator[] = [];
afterEach(() => {
  for (const simulator of simulators) simulator.close();
  simulators = [];
});

async function simulator(): Promise<Simulator> {
  const made = await loadSimulator();
  simulators.push(made);
  return made;
}

const fetched = async ({ fetch }: Simulator, { url, ...init }: Plea): Promise<Told> => {
  const response = await fetch(new Request(url, init));
  return { status: response.status, headers: [...response.headers], body: await response.text() };
};

test.each<readonly [string, Plea]>([
  ['a creation', { method: 'POST', url: `${ORIGIN}/serverless-runtimes`, headers: JSON_BODY, body }],
  ['a body that is no JSON', { method: 'POST', url: `${ORIGIN}/serverless-runtimes`, headers: JSON_BODY, body: '{' }],
  ['a text of no type', { method: 'POST', url: `${ORIGIN}/serverless-runtimes`, headers: ALICE, body: 'ö' }],
  ['nobody', { method: 'GET', url: `${ORIGIN}/serverless-runtimes/7`, headers: {}, body: null }],
  ['a path to be tidied', { method: 'GET', url: `${ORIGIN}/a/../server/version?x=ö#y`, headers: {}, body: null }],
  ['an unknown path', { method: 'PATCH', url: `${ORIGIN}/nothing`, headers: ALICE, body: '' }],
  ['an exposition', { method: 'GET', url: `${ORIGIN}/metrics`, headers: {}, body: null }],
  ['the control API', { method: 'GET', url: `${ORIGIN}/_onesim/clock`, headers: {}, body: null }],
  ['the Gatekeeper', { method: 'GET', url: `${ORIGIN}/api/v2/kpis`, headers: { Origin: 'http://there' }, body: null }],
  ['a HEAD', { method: 'HEAD', url: `${ORIGIN}/server/config`, headers: {}, body: null }],
  [
    'a sandbox that is not there',
    { method: 'GET', url: `${ORIGIN}/`, headers: { 'X-Onesim-Sandbox': 'a' }, body: null },
  ],
])('%s is answered alike by ask and by fetch', async (_, plea) => {
  const [one, other] = [await simulator(), await simulator()];
  expect(await one.ask(plea)).toEqual(await fetched(other, plea));
});

test('what takes no simulated time is told at once', async () => {
  const { ask } = await simulator();
  const told = ask({ method: 'GET', url: `${ORIGIN}/server/version`, headers: {}, body: null });
  expect(told).toMatchObject({ status: 200, body: '"1.3.3"' });
});

test('an answer that a fault cuts off is an error, as it is to fetch', async () => {
  const { ask, world } = await simulator();
  world.judge.arm({ selector: { layer: 'transport' }, effect: { do: 'reset' } });
  const asking = ask({ method: 'GET', url: `${ORIGIN}/server/version`, headers: {}, body: null });
  await expect(asking).rejects.toThrow('fetch failed');
});

test('there is no request with a body that must have none', () => {
  expect(() => plainRequest({ method: 'GET', url: ORIGIN, headers: {}, body: '' })).toThrow(TypeError);
});

test('a body may be read again, and from a copy', async () => {
  const request = plainRequest({ method: 'POST', url: ORIGIN, headers: {}, body: 'text' });
  expect([await request.text(), await request.clone().text(), await request.text()]).toEqual(['text', 'text', 'text']);
});

test('headers that somebody has changed are told', async () => {
  const answer = plainAnswer(200, 'text', { 'Content-Type': 'text/plain' });
  answer.headers.set('Vary', 'Origin');
  const headers = [
    ['content-type', 'text/plain'],
    ['vary', 'Origin'],
  ];
  expect(await toldOf(answer)).toEqual({ status: 200, headers, body: 'text' });
});

test('chunks go out as they are taken, and are told as one', async () => {
  const answer = () => plainAnswer(200, { chunks: ['a', 'b'] }, { 'Content-Type': 'text/plain' });
  expect(toldOf(answer())).toMatchObject({ body: 'ab' });
  expect(await standard(answer()).text()).toBe('ab');
});
