/**
 * The recorded answers of the Provisioning Engine 1.3.3, played on the cloud they were recorded on: status, headers, and
 * JSON byte for byte, except for ids, drawn names, addresses and times.
 */
import { describe, expect, it } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator, furnishing } from '../../index.ts';
import { TIMINGS } from '../../one/timing.ts';
import { ENGINE_DEVIATIONS } from './deviations.ts';
import { GROUPS, NOT_PLAYED } from './recorded-groups.ts';
import { Playback, RECORDED, RECORDED_SERVICES } from './recorded-playback.ts';
import type { Step } from './recorded-steps.ts';

const contracts = await loadContracts();
const furnish = await furnishing('recorded');
const UPSTREAM = new Set<string>(ENGINE_DEVIATIONS);
const NONE = new Set<string>();

/** The cloud of the recordings, under an engine with these deviations. Every answer is held against the contract. */
function playback(deviations: ReadonlySet<string>, compares: boolean): Playback {
  const simulator = createSimulator({ furnish, timing: TIMINGS.fast, deviations });
  const fetch = checkedFetch(simulator.fetch, contracts, deviations);
  return new Playback({ cloud: simulator.world.cloud, fetch, compares });
}

async function playAll(play: Playback, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (typeof step === 'string') await play.expect(step);
    else await (typeof step === 'function' ? step(play) : step.run(play));
  }
}

describe('recorded answers', () => {
  for (const [name, steps] of Object.entries(GROUPS)) {
    it(name, async () => {
      await playAll(playback(UPSTREAM, true), steps);
    });
  }

  it('are all played once, but for those that are listed with a reason', () => {
    const played = Object.values(GROUPS).flatMap((steps) =>
      steps.flatMap((step) => (typeof step === 'string' ? [step] : typeof step === 'function' ? [] : step.names)),
    );
    expect([...played, ...Object.keys(NOT_PLAYED)].sort()).toEqual([...RECORDED.keys()].sort());
  });
});

describe('the same requests, where the contract is kept', () => {
  for (const [name, steps] of Object.entries(GROUPS)) {
    it(name, async () => {
      await playAll(playback(NONE, false), steps);
    });
  }
});

describe('recorded services', () => {
  it('hold the text that the engine sends', async () => {
    const play = playback(UPSTREAM, true);
    const body = '{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function","CPU":2,"MEMORY":128,"DISK_SIZE":1024}}}';
    for (const [name, { UNAME, TEMPLATE }] of RECORDED_SERVICES) {
      const password = { oneadmin: 'opennebula', tester: 'testerpass' }[UNAME] ?? '';
      const basic = Buffer.from(`${UNAME}:${password}`).toString('base64');
      const answer = await play.ask(
        'POST',
        '/serverless-runtimes',
        new Headers({ Authorization: `Basic ${basic}` }),
        body,
      );
      const service = play.cloud.flow.info(
        play.cloud.root,
        JSON.parse(await answer.text()).SERVERLESS_RUNTIME.SERVICE_ID,
      );
      expect(service.body.roles[0]?.vm_template_contents, name).toBe(TEMPLATE.BODY.roles[0]?.vm_template_contents);
    }
  });
});
