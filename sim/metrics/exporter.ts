/**
 * What OpenNebula's own exporter shows: how each VM, host and datastore is allocated, as oned has it. Mirrors the
 * collectors of `opennebula_exporter` 6.10, their oddities included: the memory of a VM is in kilobytes whatever its name
 * says, and the processors of a host are in percent of one.
 */
import type { Described } from './catalog.ts';
import {
  type Chronicle,
  type CloudFacts,
  type DatastoreFacts,
  factsAt,
  type HostFacts,
  type Track,
  type VmFacts,
} from './chronicle.ts';
import { type Family, labelsText } from './exposition.ts';
import { byName, type Labels } from './labels.ts';
import { type Matcher, passesAll } from './promql/matcher.ts';
import { SCRAPE_MS } from './series.ts';
import type { Sampling, SeriesGroup } from './stored.ts';

/** What of the facts a metric shows. */
interface Row<F> extends Described {
  /** The label that tells apart its series of one subject, and their values for each of that label; null for one series. */
  readonly each: { readonly label: string; readonly values: (facts: F) => readonly number[] } | null;
  /** @param index of the series */
  readonly value: (facts: F, index: number) => number | undefined;
}

const row = <F>(name: string, help: string, unit: string, value: (facts: F) => number): Row<F> => ({
  name: `opennebula_${name}`,
  help,
  type: 'gauge',
  unit,
  each: null,
  value,
});

const KIB = 1024;
const MIB = 1024 * 1024;

const OF_VM: readonly Row<VmFacts>[] = [
  row('vm_cpu_ratio', 'Processors that the VM asks of its host', 'processors', ({ cpu }) => cpu),
  row('vm_cpu_vcpus', 'Processors that its guest sees', 'processors', ({ vcpu }) => vcpu),
  {
    ...row<VmFacts>('vm_disk_size_bytes', 'Size of a disk of the VM', 'bytes', () => 0),
    each: { label: 'disk_id', values: ({ disks }) => disks },
    value: ({ sizesMiB }, index) => (sizesMiB[index] ?? 0) * MIB,
  },
  row('vm_disks', 'Disks of the VM', 'disks', ({ disks }) => disks.length),
  row('vm_host_id', 'Id of the host that the VM is or was on', 'id, -1 for none', ({ hostId }) => hostId),
  row('vm_lcm_state', 'LCM_STATE of the VM, 0 unless it is active', 'number', ({ lcmState }) => lcmState),
  row('vm_mem_total_bytes', 'Memory of the VM', 'kilobytes', ({ memoryMiB }) => memoryMiB * KIB),
  row('vm_nics', 'Network interfaces of the VM', 'interfaces', ({ nics }) => nics),
  row('vm_state', 'STATE of the VM: 3 is active', 'number', ({ state }) => state),
];

const OF_HOST: readonly Row<HostFacts>[] = [
  row('host_cpu_maximum_ratio', 'Processors that VMs may have of the host', 'percent of one', ({ maxCpu }) => maxCpu),
  row('host_cpu_total_ratio', 'Processors of the host', 'percent of one', ({ totalCpu }) => totalCpu),
  row('host_cpu_usage_ratio', 'Processors that VMs have of the host', 'percent of one', ({ usedCpu }) => usedCpu),
  row('host_mem_maximum_bytes', 'Memory that VMs may have of the host', 'bytes', ({ maxMemKb }) => maxMemKb * KIB),
  row('host_mem_total_bytes', 'Memory of the host', 'bytes', ({ totalMemKb }) => totalMemKb * KIB),
  row('host_mem_usage_bytes', 'Memory that VMs have of the host', 'bytes', ({ usedMemKb }) => usedMemKb * KIB),
  row('host_state', 'STATE of the host: 2 is monitored', 'number', ({ state }) => state),
  row('host_vms', 'VMs on the host', 'VMs', ({ vms }) => vms),
];

const OF_DATASTORE: readonly Row<DatastoreFacts>[] = [
  row('datastore_free_bytes', 'Space that is left in the datastore', 'bytes', ({ freeMiB }) => freeMiB * MIB),
  row('datastore_images', 'Images in the datastore', 'images', ({ images }) => images),
  row('datastore_total_bytes', 'Size of the datastore', 'bytes', ({ totalMiB }) => totalMiB * MIB),
  row('datastore_used_bytes', 'Space in use in the datastore', 'bytes', ({ usedMiB }) => usedMiB * MIB),
];

const OF_CLOUD: readonly Row<CloudFacts>[] = [
  row('datastore_total', 'Datastores that there are', 'datastores', ({ datastores }) => datastores),
  row('host_total', 'Hosts that there are', 'hosts', ({ hosts }) => hosts),
  row('vm_total', 'VMs that there are, but for those that are done', 'VMs', ({ vms }) => vms),
];

/** The services beside oned that an exporter looks for: those that are simulated are up. */
const OF_FRONT_END: readonly Row<CloudFacts>[] = [
  row('flow_state', 'Whether OneFlow runs', '0 or 1', () => 1),
  row('gate_state', 'Whether OneGate runs', '0 or 1', () => 0),
  row('hem_state', 'Whether the hook manager runs', '0 or 1', () => 0),
  row('oned_state', 'Whether oned runs', '0 or 1', () => 1),
  row('scheduler_state', 'Whether the scheduler runs', '0 or 1', () => 1),
];

/** A metric of the exporter, with all that there is to measure. */
export interface ExportedMetric extends Described, Family {
  select(matchers: readonly Matcher[], nowMs: number): Iterable<SeriesGroup>;
}

/** Sorted by name. */
export function exported(chronicle: Chronicle): ExportedMetric[] {
  const idOf = (label: string) => (id: number) => [[label, `${id}`]] as const;
  return [
    ...OF_VM.map((each) => metricOf(each, () => chronicle.vms, idOf('one_vm_id'))),
    ...OF_HOST.map((each) => metricOf(each, () => chronicle.hosts, idOf('one_host_id'))),
    ...OF_DATASTORE.map((each) => metricOf(each, () => chronicle.datastores, idOf('one_datastore_id'))),
    ...OF_CLOUD.map((each) =>
      metricOf(
        each,
        () => chronicle.cloud,
        () => [],
      ),
    ),
    ...OF_FRONT_END.map((each) =>
      metricOf(
        each,
        () => chronicle.cloud,
        () => [['one_server_fqdn', FRONT_END]],
      ),
    ),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const FRONT_END = 'onesim';

function metricOf<F>(
  of: Row<F>,
  tracks: () => ReadonlyMap<number, Track<F>>,
  labelsOf: (id: number) => Labels,
): ExportedMetric {
  const { name, help, type, unit } = of;
  return {
    name,
    help,
    type,
    unit,
    *texts(atMs) {
      for (const [id, track] of tracks()) {
        const facts = factsAt(track, atMs);
        if (facts === null) continue;
        let text = '';
        for (const [index, labels] of seriesOf(of, facts, labelsOf(id)).entries()) {
          const pairs = labelsText(labels);
          text += `${name}${pairs === '' ? '' : `{${pairs}}`} ${of.value(facts, index)}\n`;
        }
        if (text !== '') yield text;
      }
    },
    *select(matchers, nowMs) {
      for (const [id, track] of tracks()) {
        const group = new Scraped(of, track, labelsOf(id), nowMs, matchers);
        if (group.labels.length > 0) yield group;
      }
    },
  };
}

/** The labels of each series that some facts have. */
function seriesOf<F>({ each }: Row<F>, facts: F, labels: Labels): readonly Labels[] {
  if (each === null) return [labels];
  return each.values(facts).map((value) => [[each.label, `${value}`] as const, ...labels].sort(byName));
}

/** How the target of OpenNebula's Prometheus is called. */
const TARGET = [
  ['instance', 'localhost:9925'],
  ['job', 'opennebula_exporter'],
] as const;

/** What a Prometheus has of one subject that has scraped it ever since. Without timestamps, so that series end at once. */
class Scraped<F> implements SeriesGroup {
  readonly labels: readonly Labels[];
  readonly marksEnds = true;
  readonly #row: Row<F>;
  readonly #track: Track<F>;
  /** Values of the label that tells the series apart. */
  readonly #parts: readonly (number | null)[];
  readonly #nowMs: number;

  constructor(of: Row<F>, track: Track<F>, own: Labels, nowMs: number, matchers: readonly Matcher[]) {
    this.#row = of;
    this.#track = track;
    this.#nowMs = nowMs;
    const all = partsOf(of, track).map((part) => ({ part, labels: storedLabels(of, part, own) }));
    const asked = all.filter(({ labels }) => passesAll(labels, matchers));
    this.#parts = asked.map(({ part }) => part);
    this.labels = asked.map(({ labels }) => labels);
  }

  newest(atMs: number, sinceMs: number): Sampling | null {
    const scrape = SCRAPE_MS * Math.floor(Math.min(atMs, this.#nowMs) / SCRAPE_MS);
    return scrape < sinceMs || scrape < this.#first ? null : this.#at(scrape);
  }

  *between(fromMs: number, toMs: number): Generator<Sampling> {
    const last = Math.min(toMs, this.#nowMs, this.#end);
    let scrape = SCRAPE_MS * Math.ceil(Math.max(fromMs, this.#first) / SCRAPE_MS);
    for (; scrape <= last; scrape += SCRAPE_MS) yield this.#at(scrape);
  }

  get #first(): number {
    return this.#track[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** From then on there is nothing. */
  get #end(): number {
    const last = this.#track.at(-1);
    return last === undefined || last.facts !== null ? Number.POSITIVE_INFINITY : last.at;
  }

  #at(scrape: number): Sampling {
    const facts = factsAt(this.#track, scrape);
    return { at: scrape, value: (series) => (facts === null ? undefined : this.#valueOf(facts, series)) };
  }

  #valueOf(facts: F, series: number): number | undefined {
    const { each, value } = this.#row;
    if (each === null) return value(facts, 0);
    const index = each.values(facts).indexOf(this.#parts[series] ?? Number.NaN);
    return index < 0 ? undefined : value(facts, index);
  }
}

/** All that ever told apart the series of one subject. */
function partsOf<F>({ each }: Row<F>, track: Track<F>): readonly (number | null)[] {
  if (each === null) return [null];
  const parts = new Set<number>();
  for (const { facts } of track) if (facts !== null) for (const part of each.values(facts)) parts.add(part);
  return [...parts];
}

function storedLabels<F>({ name, each }: Row<F>, part: number | null, own: Labels): Labels {
  const apart = each === null ? [] : [[each.label, `${part}`] as const];
  return [['__name__', name] as const, ...apart, ...TARGET, ...own].sort(byName);
}
