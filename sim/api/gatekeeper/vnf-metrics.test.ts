/** What the probe in a VNF measures, a row for each metric: what tells its series apart, and how its values are written. */
import { beforeAll, describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { Client, INSTANCE, storedLabels, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

interface Row {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

let client: Client;
let heartbeats: Row[];

beforeAll(async () => {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide });
  client = await Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations));
  heartbeats = await history('vm_up');
});

/** Ten minutes, sampled every 15 s as Prometheus does. */
async function history(metric: string): Promise<Row[]> {
  const range = `since=${TODAY / 1000 - 600}&until=${TODAY / 1000}&step=15`;
  const path = `/functions/${INSTANCE}/vdu01/${VC}/asynch-mon-data?metrics=${metric}&${range}`;
  const { body } = await client.get(path);
  return (body as { requested_data: [{ metrics: { result: Row[] } }] }).requested_data[0].metrics.result;
}

const HUNDREDTHS = /^\d+(\.\d\d?)?$/;
const WHOLE = /^\d+$/;
const FILE_SYSTEMS = ['tmpfs', 'udev'];

/** Of a machine with one core and no disk or network interface of its own. */
const METRICS: readonly (readonly [name: string, label: string | null, values: readonly string[], form: RegExp])[] = [
  ['vm_cpu_perc', 'core', ['cpu', 'cpu0'], HUNDREDTHS],
  ['vm_mem_perc', null, [], HUNDREDTHS],
  ['vm_mem_free_MB', null, [], WHOLE],
  ['vm_mem_total_MB', null, [], WHOLE],
  ['vm_net_rx_MB', 'inf', ['lo'], HUNDREDTHS],
  ['vm_net_tx_MB', 'inf', ['lo'], HUNDREDTHS],
  ['vm_net_rx_bps', 'inf', ['lo'], WHOLE],
  ['vm_net_tx_bps', 'inf', ['lo'], WHOLE],
  ['vm_net_rx_pps', 'inf', ['lo'], WHOLE],
  ['vm_net_tx_pps', 'inf', ['lo'], WHOLE],
  ['vm_disk_usage_perc', 'file_system', FILE_SYSTEMS, /^(100|\d\d?)$/],
  ['vm_disk_used_1k_blocks', 'file_system', FILE_SYSTEMS, WHOLE],
  ['vm_disk_total_1k_blocks', 'file_system', FILE_SYSTEMS, WHOLE],
  ['vm_up', null, [], WHOLE],
];

describe.each(METRICS)('%s', (name, label, values, form) => {
  test('has its series, in order, with the labels of the scrape', async () => {
    const rows = await history(name);
    const own = label === null ? [{}] : values.map((value) => ({ [label]: value }));
    expect(rows.map(({ metric }) => metric)).toEqual(own.map((more) => ({ ...storedLabels(name), ...more })));
  });

  test('has values of its form at every evaluation', async () => {
    for (const { values: points } of await history(name)) {
      expect(points.map(([at]) => at)).toEqual(Array.from({ length: 41 }, (_, n) => TODAY / 1000 - 600 + 15 * n));
      for (const [, value] of points) expect(value).toMatch(form);
    }
  });
});

test('a push is no older than 3 s when it is scraped, and its sign of life says when it was', () => {
  for (const [at, value] of heartbeats[0]?.values ?? []) {
    expect(at - Number(value)).toBeGreaterThanOrEqual(0);
    expect(at - Number(value)).toBeLessThan(18);
  }
});
