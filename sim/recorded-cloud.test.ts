/**
 * The cloud of the recordings, furnished from `--world empty` over the wire alone: users, hosts, images, networks and VM
 * templates over XML-RPC, service templates over OneFlow's REST. It answers as the real one that was furnished so.
 */
import { describe, expect, test } from 'vitest';
import {
  furnishedWire,
  furnishServiceTemplates,
  ONEADMIN,
  RECORDED_EPOCH_MS,
  type ShownTemplate,
  UNSCHEDULED,
  Wire,
} from './api/oned/recorded.ts';
import { adaptation, CALLS, STILL } from './api/oned/recorded-calls.ts';
import { RECORDED_TIMING, RecordedCloud } from './api/oneflow/recorded.ts';
import { PARTS } from './api/oneflow/recorded-parts.ts';
import type { Timing } from './one/timing.ts';
import { createSimulator } from './simulator.ts';
import { furnishing } from './world/worlds.ts';

const fromNothing = await furnishing('empty');

interface Furnished {
  readonly wire: Wire;
  readonly send: (path: string, init: RequestInit) => Promise<Response>;
  /** What OneFlow answered to the service templates. */
  readonly created: string[];
}

async function furnished(timing: Timing): Promise<Furnished> {
  const simulator = createSimulator({ furnish: fromNothing, epochMs: RECORDED_EPOCH_MS, timing });
  const send = (path: string, init: RequestInit) =>
    simulator.fetch(new Request(`http://localhost${path}`, init), 'oneflow');
  const wire = await furnishedWire(new Wire(simulator.world.cloud, (request) => simulator.fetch(request, 'oned')));
  const created: string[] = [];
  const post = async (body: string): Promise<number> => {
    const headers = { Authorization: `Basic ${btoa(ONEADMIN)}` };
    const response = await send('/service_template', { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${text}`);
    created.push(text);
    return Number(JSON.parse(text).DOCUMENT.ID);
  };
  const pool = CALLS.get('documentpool.info_101');
  if (pool === undefined) throw new Error('no recording shows the service templates');
  await furnishServiceTemplates(wire, pool, ({ template }) => post(asPosted(template)));
  return { wire, send, created };
}

/** What was posted, of what is shown: without what OneFlow adds. */
function asPosted(template: ShownTemplate['template']): string {
  const { registration_time: _, ...body } = JSON.parse(/<BODY><!\[CDATA\[(.*)\]\]><\/BODY>/.exec(template)?.[1] ?? '');
  return JSON.stringify(body);
}

describe('furnished over the wire, the cloud of the recordings', () => {
  test('answers XML-RPC as it was recorded', async () => {
    const { wire, created } = await furnished(UNSCHEDULED);
    const tester = 'tester:testerpass';
    for (const template of [0, 11, 12]) {
      const id = Number(await wire.call(tester, 'one.template.instantiate', template, '', true, ''));
      await wire.call(tester, 'one.vm.action', 'terminate', id);
    }
    wire.cloud.clock.advanceNow(90_000);
    expect(created).toHaveLength(16);
    expect(STILL).toContain('documentpool.info_101');
    for (const name of STILL) {
      const recording = CALLS.get(name);
      if (recording === undefined) throw new Error(`there is no recording of ${name}`);
      const { answered, recorded } = await wire.play(recording);
      const adapt = adaptation(name) ?? ((text: string) => text);
      const shown = ({ body, ...rest }: typeof answered) => ({ ...rest, body: adapt(body) });
      expect.soft(shown(answered), name).toEqual(shown(recorded));
    }
  });

  for (const { name, script } of PARTS) {
    test(`answers OneFlow as it was recorded: ${name}`, async () => {
      const { wire, send } = await furnished(RECORDED_TIMING);
      const cloud = new RecordedCloud(wire.cloud, new Map(wire.documents), send);
      cloud.wait();
      await script(cloud, async (...cases) => {
        for (const each of cases) {
          const { answered, recorded } = await cloud.play(each);
          expect({ case: each, ...answered }).toEqual({ case: each, ...recorded });
        }
      });
    });
  }
});
