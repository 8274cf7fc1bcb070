/**
 * The recorded answers of the Provisioning Engine 1.3.3, played on the cloud they were recorded on: status, headers, and
 * JSON byte for byte, except for ids, drawn names, addresses and times.
 */
import { describe, expect, it } from 'vitest';
import { Playback, RECORDED, RECORDED_SERVICES } from './playback.ts';
import { GROUPS, NOT_PLAYED } from './recorded-groups.ts';

describe('recorded answers', () => {
  for (const [name, steps] of Object.entries(GROUPS)) {
    it(name, async () => {
      const play = new Playback();
      for (const step of steps) {
        if (typeof step === 'string') await play.expect(step);
        else await (typeof step === 'function' ? step(play) : step.run(play));
      }
    });
  }

  it('are all played once, but for those that are listed with a reason', () => {
    const played = Object.values(GROUPS).flatMap((steps) =>
      steps.flatMap((step) => (typeof step === 'string' ? [step] : typeof step === 'function' ? [] : step.names)),
    );
    expect([...played, ...Object.keys(NOT_PLAYED)].sort()).toEqual([...RECORDED.keys()].sort());
  });
});

describe('recorded services', () => {
  it('hold the text that the engine sends', async () => {
    const play = new Playback();
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
