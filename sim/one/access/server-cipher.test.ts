/** Servers that act for users: the sessions that OpenNebula's own OneFlow and Sunstone make. */
import { createCipheriv, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, freshCloud, refusalOf } from '../testing.ts';
import { authenticate } from './user.ts';

const PASSWORD = 'opennebula';

/** What a server's client encrypts, with the key that it derives from the password that it has in a file. */
function encrypted(text: string, password = PASSWORD): string {
  const key = createHash('sha256').update(password).digest('hex').slice(0, 32);
  const cipher = createCipheriv('aes-256-cbc', key, key.slice(0, 16));
  return cipher.update(text, 'utf8', 'base64') + cipher.final('base64');
}

const LATER = 3_000_000_000;
const REFUSED = "AUTHENTICATION User couldn't be authenticated, aborting call.";

const cloud = freshCloud();
const who = (session: string) => authenticate(cloud, session);

describe('a session of serveradmin', () => {
  it('stands for the user that it names', () => {
    expect(who(`serveradmin:tester:${encrypted(`serveradmin:tester:${LATER}`)}`)).toMatchObject({
      uid: 2,
      gid: 1,
      name: 'tester',
      admin: false,
    });
    expect(who(`serveradmin:serveradmin:${encrypted(`serveradmin:serveradmin:${LATER}`)}`)).toMatchObject({
      uid: 1,
      admin: true,
    });
  });

  it('is read as OpenNebula’s own client has written it', () => {
    // 2026-11-21T00:00:00Z is two days before the token expires.
    const token = 'pNxyIUqNaBsBfrYpMUUjsVVbg2dVb3bUigoz9F/Arg8=';
    expect(encrypted('serveradmin:tester:1795392000')).toBe(token);
    const fresh = freshCloud();
    const session = `serveradmin:tester:${token}`;
    expect(fresh.call(session, 'one.user.info', -1).name).toBe('tester');
    fresh.clock.advanceNow(1_795_391_999_000 - fresh.clock.now);
    expect(fresh.call(session, 'one.user.info', -1).name).toBe('tester');
    fresh.clock.advanceNow(1_000);
    expect(refusalOf(() => authenticate(fresh, session))).toBe(REFUSED);
  });

  it('may be limited to a group', () => {
    expect(who(`serveradmin:tester:1:${encrypted(`serveradmin:tester:${LATER}`)}`)).toMatchObject({
      uid: 2,
      gid: 1,
      groups: new Set([1]),
    });
  });

  it('creates what belongs to the user', () => {
    const session = `serveradmin:tester:${encrypted(`serveradmin:tester:${LATER}`)}`;
    const id = cloud.call(session, 'one.document.allocate', 'NAME=d', 7);
    expect(cloud.documents.get(id)).toMatchObject({ uid: 2, gid: 1, name: 'd' });
  });

  it.each([
    ['a token that it did not make', `tester:${encrypted(`serveradmin:tester:${LATER}`, 'guessed')}`],
    ['a token of another server', `tester:${encrypted(`sunstone:tester:${LATER}`)}`],
    ['a token that has expired', `tester:${encrypted('serveradmin:tester:1')}`],
    ['a token without an end', `tester:${encrypted('serveradmin')}`],
    ['a user that there is not', `nobody:${encrypted(`serveradmin:nobody:${LATER}`)}`],
    ['a group that is none', `tester:x:${encrypted(`serveradmin:tester:${LATER}`)}`],
    ['no user', encrypted(`serveradmin:tester:${LATER}`)],
    ['no token', 'tester:'],
    ['no base 64', 'tester:***'],
    ['its own password', PASSWORD],
  ])('is refused with %s', (_what, secret) => {
    expect(refusalOf(() => who(`serveradmin:${secret}`))).toBe(REFUSED);
  });

  it('holds until the password changes, and is nothing that another user could make', () => {
    const fresh = freshCloud();
    const session = (password: string) => `serveradmin:tester:${encrypted(`serveradmin:tester:${LATER}`, password)}`;
    const hash = createHash('sha256').update('other').digest('hex');
    expect(authenticate(fresh, session(PASSWORD)).uid).toBe(2);
    // As `oneuser passwd --sha256` does it: the driver's passwords are stored as they come.
    fresh.call(ADMIN_SESSION, 'one.user.passwd', 1, hash);
    expect(refusalOf(() => authenticate(fresh, session(PASSWORD)))).toBe(REFUSED);
    expect(authenticate(fresh, session('other')).uid).toBe(2);
    const forged = `tester:other:${encrypted(`tester:other:${LATER}`, 'testerpass')}`;
    expect(refusalOf(() => authenticate(fresh, forged))).toBe(REFUSED);
  });
});
