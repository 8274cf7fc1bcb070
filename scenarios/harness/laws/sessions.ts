/** The law of who is logged in to the Gatekeeper, and until when. */
import { legible } from '../answers.ts';
import { type Check, type Law, shownBy } from '../law.ts';
import { type Answered, before, overlap, type Story } from '../story.ts';
import type { ExchangeLine } from '../trace.ts';

/** What is asked with a token. */
const WITH_TOKEN = ['functions.list', 'functions.get', 'metrics.names', 'metrics.asynch', 'metrics.synch', 'logout'];

/** When a token was given, to the second. */
const SECOND_MS = 1_000;

interface Session {
  readonly exchange: ExchangeLine;
  readonly user: string;
  readonly lastsMs: number;
}

interface LoginAnswer {
  readonly username?: string;
  readonly token?: { readonly access_token?: string; readonly expires_in?: number };
}

const sessionIn = (exchange: ExchangeLine): Session | undefined => {
  const { op, response } = exchange;
  if (op !== 'login' || response?.status !== 200) return undefined;
  const { username: user, token } = legible((): LoginAnswer => JSON.parse(response.body)) ?? {};
  if (user === undefined || typeof token?.expires_in !== 'number') return undefined;
  return { exchange, user, lastsMs: 1_000 * token.expires_in };
};

/** What is true of the token that a request was made with: the last that its client was given. */
type Standing = 'works' | 'is over' | 'nobody can say';

interface Book {
  readonly story: Story;
  readonly sessions: readonly Session[];
  readonly logouts: readonly ExchangeLine[];
}

function standingOf({ story, sessions, logouts }: Book, exchange: Answered): Standing {
  const own = sessions.filter(({ exchange: login }) => login.as === exchange.as);
  const session = own.findLast(({ exchange: login }) => before(login, exchange));
  if (session === undefined || own.some(({ exchange: login }) => overlap(login, exchange))) return 'nobody can say';
  const { exchange: login, user, lastsMs } = session;
  const isOfUser = ({ as }: ExchangeLine): boolean =>
    sessions.some((each) => each.exchange.as === as && each.user === user);
  const outs = logouts.filter((each) => each !== exchange && !before(each, login) && isOfUser(each));
  const isDone = (each: ExchangeLine): boolean => each.response?.status === 204 && !story.isTouched(each);
  if (exchange.sent >= login.at + lastsMs || outs.some((each) => isDone(each) && isWithin(each, login, exchange)))
    return 'is over';
  const mayBeOut = outs.some((each) => !before(exchange, each) && each.response?.status !== 401);
  return mayBeOut || exchange.at >= login.sent + lastsMs - SECOND_MS ? 'nobody can say' : 'works';
}

const isWithin = (each: ExchangeLine, after: ExchangeLine, until: ExchangeLine): boolean =>
  before(after, each) && before(each, until);

/** Whether it was turned away for its token: at the monitoring, upstream says so in another way. */
const isTurnedAway = ({ response: { status, body } }: Answered): boolean =>
  status === 401 || (status === 403 && body.includes('could not be authorized'));

/** Whether a step says a name without its password. */
function hasNoPassword(story: Story, { step, auth }: Answered): boolean {
  const own = step === null ? undefined : story.steps.get(step);
  if (own?.op !== 'login') return false;
  return own.password === undefined ? auth !== 'good' : own.password === '';
}

export const SESSION_LAWS: readonly Law[] = [
  {
    id: 'A8',
    sentence:
      'A token works from its login until it expires or its user logs out, and never after; nobody else’s logout ends it, and without the password there is none.',
    reason: 'Who has left must not be let in again, and nobody may be put out by another.',
    judge(story, check) {
      const sessions = story.exchanges.flatMap((exchange) => sessionIn(exchange) ?? []);
      // One that is refused for what it says is none.
      const logouts = story.exchanges.filter(({ op, auth }) => op === 'logout' && auth === 'good');
      const book = { story, sessions, logouts };
      for (const exchange of story.answered) {
        const { op, auth, response, as } = exchange;
        if (op === 'login' && hasNoPassword(story, exchange)) {
          check(response.status >= 400 && !response.body.includes('access_token'), () =>
            shownBy(exchange, {
              subject: `a login of ${as}`,
              expected: 'no token',
              seen: `${response.status}`,
              edge: 'password',
            }),
          );
        }
        if (!WITH_TOKEN.includes(op)) continue;
        const standing = auth === 'good' ? standingOf(book, exchange) : 'is over';
        judgeToken(exchange, standing, check);
      }
    },
  },
];

function judgeToken(exchange: Answered, standing: Standing, check: Check): void {
  if (standing === 'nobody can say') return;
  const { op, auth, as, response } = exchange;
  // What is no token at all is told so; a second logout is refused as the contract says.
  const isSecond = op === 'logout' && auth === 'good' && standing === 'is over';
  const holds =
    standing === 'works' ? !isTurnedAway(exchange) : isSecond ? response.status === 401 : response.status >= 400;
  check(holds, () =>
    shownBy(exchange, {
      subject: `the token of ${as}`,
      expected: standing === 'works' ? 'that it works' : isSecond ? '401' : 'that it is over',
      seen: `${response.status}`,
      edge: `${standing} ${auth}`,
    }),
  );
}
