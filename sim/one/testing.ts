/** A fresh cloud to test against, with the users of the recordings: 2 tester, 3 other, both in group users. */
import { Judge } from '../faults/judge.ts';
import { Clock } from '../kernel/clock.ts';
import { Journal } from '../kernel/journal.ts';
import { Random } from '../kernel/random.ts';
import { createUser } from './access/user.ts';
import { CLOUD_DEFAULTS, Cloud } from './cloud.ts';
import { OneError } from './error.ts';
import { addHost } from './resources/host.ts';
import { TIMINGS, type Timing } from './timing.ts';

export const ADMIN_SESSION = 'oneadmin:opennebula';
export const TESTER = 'tester:testerpass';
export const OTHER = 'other:otherpass';

/** @param timing none by default: everything happens within the instant */
export function freshCloud(timing: Timing = TIMINGS.instant): Cloud {
  const clock = new Clock(Date.UTC(2026, 10, 21));
  const random = new Random(1);
  const journal = new Journal(clock);
  const ground = { clock, random, journal, judge: new Judge(clock, journal, random) };
  const cloud = new Cloud(ground, { ...CLOUD_DEFAULTS, timing });
  createUser(cloud, { name: 'tester', password: 'testerpass' });
  createUser(cloud, { name: 'other', password: 'otherpass' });
  return cloud;
}

const BY_HAND: Timing = { ...TIMINGS.fast, schedulerIntervalMs: 86_400_000 };

/** Every driver action takes a second, and the scheduler looks every 15. */
export const BY_THE_SECOND: Timing = {
  ...TIMINGS.realistic,
  actions: Object.fromEntries(
    Object.keys(TIMINGS.realistic.actions).map((action) => [action, { fixed: 1000 }]),
  ) as Timing['actions'],
};

/**
 * Two hosts, an image, a network and VM template 0, as on the cloud of the recordings.
 * @param timing by default every driver action takes half a second, and the scheduler's rounds are a day apart, so that a
 *   test deploys by hand
 */
export function furnishedCloud(timing: Timing = BY_HAND): Cloud {
  const cloud = freshCloud(timing);
  const { root } = cloud;
  for (const name of ['host0', 'host1']) addHost(cloud, { name, imMad: 'dummy', vmMad: 'dummy' });
  const image = cloud.run(root, 'one.image.allocate', IMAGE, 1);
  cloud.run(root, 'one.image.chmod', image, 1, 1, 0, 1, 0, 0, 1, 0, 0);
  cloud.run(root, 'one.vn.allocate', NETWORK, -1);
  const template = cloud.run(root, 'one.template.allocate', VM_TEMPLATE);
  cloud.run(root, 'one.template.chmod', template, 1, 1, 0, 1, 0, 0, 1, 0, 0);
  return cloud;
}

const IMAGE = 'NAME=fimg TYPE=DATABLOCK SIZE=200 DEV_PREFIX=vd PERSISTENT=NO';
const NETWORK = 'NAME=fnet VN_MAD=dummy BRIDGE=br0 AR=[TYPE=IP4, IP="10.0.0.1", SIZE=200]';
const VM_TEMPLATE = 'NAME=Function-vm CPU=0.1 MEMORY=128 DISK=[IMAGE_ID=0] NIC=[NETWORK_ID=0] CONTEXT=[NETWORK=YES]';

/** What is refused, as `CODE message`; fails when it is not. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof OneError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('was not refused');
}
