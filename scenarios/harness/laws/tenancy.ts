/** The laws of ids, credentials and tenants: who may see what, and what is told to those who may not. */
import { remembered } from '../../../sim/index.ts';
import { isJsonText, runtimeIn } from '../answers.ts';
import { type Check, type Law, shownBy } from '../law.ts';
import { CREDENTIALS } from '../request.ts';
import { type Answered, before, isMutation, requestOf, type Story } from '../story.ts';
import { REDACTED } from '../trace.ts';

const PUBLIC = ['schema', 'version', 'config'];
const PROTECTED = ['create', 'get', 'put', 'delete'];

/** Requests for a runtime that another tenant has made, and that is there. */
function* foreign(story: Story): Generator<Answered> {
  for (const { id, exchanges } of story.runtimes.values()) {
    const maker = exchanges.find(({ op }) => op === 'create')?.as ?? 'owner';
    const isForeign = ({ as }: Answered): boolean => as !== maker && as !== 'admin';
    const gone = exchanges.find((exchange) => exchange.op === 'delete' && !isForeign(exchange));
    for (const exchange of exchanges) {
      if (!isForeign(exchange) || exchange.auth !== 'good') continue;
      if (gone !== undefined && gone.sent <= exchange.at) continue;
      if (!story.unsure(id, exchange.at)) yield exchange;
    }
  }
}

/** What must be in no answer: what clients log in with, in either form, and what stands for it. */
const SECRETS = Object.values(CREDENTIALS).flatMap((session) =>
  session === undefined ? [] : [session, Buffer.from(session).toString('base64')],
);
const SECRET = new RegExp([...SECRETS, REDACTED].map((text) => text.replace(/\W/g, '\\$&')).join('|'));

/** The same is said over and over. */
const holds = remembered((text) => SECRET.test(text));
const leaks = (content: unknown): boolean => typeof content === 'string' && holds(content);

/** A session's token that is good: the body of a login is the only place for one, and in a trace it is none any more. */
const TOKEN = /\beyJ[\w-]+\.[\w-]+\.(?!x\b)[\w-]/;

const tells = remembered((header) => SECRET.test(header) || TOKEN.test(header));

/** A body that is no JSON is refused before anybody is asked for the runtime. */
const isJson = ({ request }: Answered): boolean =>
  request.method === 'GET' || request.method === 'DELETE' || isJsonText(request.body ?? '');

/** Statuses by which another's runtime and a missing one are told. */
const FOREIGN = 403;
const MISSING = 404;

export const TENANCY: readonly Law[] = [
  {
    id: 'A1',
    sentence: 'Ids are unique, grow, and are never used again.',
    reason: 'An old id must not lead to somebody else’s runtime.',
    judge({ answered }, check) {
      const made = answered.filter(({ op, response }) => op === 'create' && response.status === 201);
      const idOf = ({ response }: Answered): number => Number(runtimeIn(response.body)?.ID);
      for (const [n, exchange] of made.entries()) {
        for (const earlier of made.slice(0, n)) {
          const fits = before(earlier, exchange) ? idOf(earlier) < idOf(exchange) : idOf(earlier) !== idOf(exchange);
          check(fits, () =>
            shownBy(exchange, {
              subject: `runtime ${idOf(exchange)}`,
              expected: `an id above ${idOf(earlier)}`,
              seen: `${idOf(exchange)}`,
            }),
          );
        }
      }
    },
  },
  {
    id: 'A2',
    sentence: 'An id that is no runtime’s answers 404.',
    reason: 'What is not there must not be mistaken for what may not be seen.',
    judge(story, check) {
      for (const exchange of story.answered) {
        const { ref, auth, response, as } = exchange;
        if (ref === null || auth !== 'good' || as === 'other' || !isJson(exchange)) continue;
        if (ref !== 'none' && !ref.endsWith('.service')) continue;
        // A service of a deleted runtime, or not its owner's to read, is told in the same way.
        check(response.status === MISSING, () =>
          shownBy(exchange, { subject: ref, expected: `${MISSING}`, seen: `${response.status}` }),
        );
      }
    },
  },
  {
    id: 'A3',
    sentence: 'A tenant never gets a 2xx for another’s runtime.',
    reason: 'It is the wall between tenants.',
    judge(story, check) {
      for (const exchange of foreign(story)) {
        const { response, id, entry } = exchange;
        check(response.status >= 300, () =>
          shownBy(exchange, { subject: `runtime ${id}`, expected: 'a refusal', seen: `${response.status}` }),
        );
        const done = story.effectsOf(entry);
        check(done.length === 0, () =>
          shownBy(exchange, {
            subject: `runtime ${id}`,
            expected: 'no effect',
            seen: `${done[0]?.kind} of ${done[0]?.subject}`,
            edge: 'effect',
          }),
        );
      }
    },
  },
  {
    id: 'A4',
    sentence:
      'Another’s runtime answers 403 and a missing one 404, as the contract declares, and nothing else tells them apart.',
    reason: 'What a stranger can find out has to be a decision, not an accident.',
    judge(story, check) {
      for (const exchange of foreign(story)) {
        if (!isJson(exchange)) continue;
        const { response, id } = exchange;
        check(response.status === FOREIGN, () =>
          shownBy(exchange, { subject: `runtime ${id}`, expected: `${FOREIGN}`, seen: `${response.status}` }),
        );
      }
      for (const exchange of story.answered) {
        if (exchange.ref !== 'none' || exchange.as !== 'other' || exchange.auth !== 'good' || !isJson(exchange))
          continue;
        check(exchange.response.status === MISSING, () =>
          shownBy(exchange, {
            subject: 'an id that nobody has',
            expected: `${MISSING}`,
            seen: `${exchange.response.status}`,
          }),
        );
      }
    },
  },
  {
    id: 'A5',
    sentence:
      'Without credentials, or with a scheme that is none, every protected operation answers 401 and does nothing; public ones work.',
    reason: 'A door that is closed only sometimes is open.',
    judge(story, check) {
      for (const exchange of story.answered) {
        const { op, auth, response, entry } = exchange;
        if (PUBLIC.includes(op) && exchange.step !== null) {
          check(response.status === 200, () =>
            shownBy(exchange, { subject: op, expected: '200', seen: `${response.status}` }),
          );
        }
        if (!PROTECTED.includes(op) || (auth !== 'none' && auth !== 'scheme')) continue;
        check(response.status === 401, () =>
          shownBy(exchange, { subject: op, expected: '401', seen: `${response.status}` }),
        );
        judgeEffect(story, exchange, entry, check);
      }
    },
  },
  {
    id: 'A6',
    sentence:
      'Checks come in their order: credentials there, their scheme, the body is JSON, the credentials hold, the runtime is there, the body fits.',
    reason: 'A client’s handling of errors rests on which one it is told.',
    judge(story, check) {
      for (const exchange of story.answered) {
        const { auth, ref, response, op } = exchange;
        if (!PROTECTED.includes(op) || exchange.step === null || requestOf(story, exchange) === undefined) continue;
        const wanted =
          auth === 'none' || auth === 'scheme'
            ? 401
            : !isJson(exchange)
              ? 400
              : auth === 'wrong'
                ? // The creation asks OpenNebula only once the body fits.
                  op === 'create'
                  ? undefined
                  : 401
                : ref === 'none'
                  ? MISSING
                  : undefined;
        if (wanted === undefined) continue;
        check(response.status === wanted, () =>
          shownBy(exchange, {
            subject: op,
            expected: `${wanted}`,
            seen: `${response.status}`,
            edge: `${auth} ${wanted}`,
          }),
        );
      }
    },
  },
  {
    id: 'A7',
    sentence:
      'Credentials are in no answer, be it in its body or a header, on no stream and in no entry of the journal.',
    reason: 'What is logged is read by more people than may use it.',
    judge(story, check) {
      for (const exchange of story.answered) {
        const told = exchange.response.headers.find(([, value]) => tells(value));
        check(told === undefined, () =>
          shownBy(exchange, {
            subject: exchange.request.path,
            expected: 'no credentials',
            seen: `a password or a token in ${told?.[0]}`,
            edge: 'header',
          }),
        );
        // OpenNebula shows a VM's context to those who may read it.
        if (exchange.request.path === '/RPC2') continue;
        check(!leaks(exchange.response.body), () =>
          shownBy(exchange, {
            subject: exchange.request.path,
            expected: 'no credentials',
            seen: 'a password in the answer',
          }),
        );
      }
      for (const { at, stream, event, text } of story.streamed) {
        if (event !== 'frame' && event !== 'garbage') continue;
        check(!leaks(text), () => ({
          at,
          subject: `stream ${stream}`,
          expected: 'no credentials',
          seen: 'a password in what was sent',
          edge: 'stream',
        }));
      }
      for (const entry of story.entries) {
        check(!leaks(entry.subject) && !Object.values(entry.detail).some(leaks), () => ({
          at: entry.at - story.run.epochMs,
          subject: `entry ${entry.seq}`,
          expected: 'no credentials',
          seen: 'a password',
          edge: 'journal',
        }));
      }
    },
  },
];

function judgeEffect(story: Story, exchange: Answered, entry: number | null, check: Check): void {
  if (entry === null || !isMutation(exchange)) return;
  const done = story.effectsOf(entry);
  check(done.length === 0, () =>
    shownBy(exchange, {
      subject: exchange.op,
      expected: 'no effect',
      seen: `${done[0]?.kind} of ${done[0]?.subject}`,
      edge: 'effect',
    }),
  );
}
