/** The laws of what a runtime has: VMs, capacity, disks, addresses and hosts. */
import { type Law, shownBy } from '../law.ts';
import { type Answered, before, FUNCTIONS, overlap, type Runtime, requestOf, type Story } from '../story.ts';
import { counterpartsOf } from './counterpart.ts';
import { GOES_MS } from './patience.ts';
import { straysIn } from './stray.ts';

const mayBeDeleted = ({ unsure }: Story, { id, exchanges }: Runtime, by: Answered): boolean =>
  unsure(id, by.at) || exchanges.some(({ op, sent }) => op === 'delete' && sent <= by.at);

/** What a specification asks of a function. */
interface Wish {
  readonly CPU?: unknown;
  readonly MEMORY?: unknown;
  readonly DISK_SIZE?: unknown;
  readonly FLAVOUR?: string;
}

function wishesOf(
  story: Story,
  exchange: Answered,
): { readonly FAAS: Wish; readonly DAAS: Wish | undefined } | undefined {
  const step = requestOf(story, exchange);
  if (step === undefined || (step.op !== 'create' && step.op !== 'put') || 'send' in step || 'sendText' in step)
    return undefined;
  const { faas = {}, daas } = step.args ?? {};
  return { FAAS: { FLAVOUR: 'Function', ...faas }, DAAS: daas };
}

const SIZES = ['CPU', 'MEMORY', 'DISK_SIZE'] as const;

/** What of the VM each of them tells. */
const HELD = { CPU: 'vcpu', MEMORY: 'memoryMiB', DISK_SIZE: 'diskMiB' } as const;

/** Whether an administrator has ended the VM of a runtime meanwhile: then others may have what it had. */
const hasEnded = (story: Story, { first }: Runtime, { at: until }: Answered): boolean =>
  story.changesOf(first.functions.get('FAAS')?.VM_ID ?? -1).some(({ at, to }) => to === 'DONE' && at <= until);

export const RESOURCES: readonly Law[] = [
  {
    id: 'R1',
    sentence:
      'Each function that is listed is exactly one live VM of its own; DAAS is there if and only if it was asked for.',
    reason: 'A VM that two functions share, or that is gone, serves nobody.',
    judge(story, check) {
      const owners = new Map<number, string>();
      for (const runtime of story.runtimes.values()) {
        const wishes = wishesOf(story, runtime.created);
        const names = [...runtime.first.functions.keys()].join(' and ');
        if (wishes !== undefined) {
          const wanted = FUNCTIONS.filter(
            (name) => name === 'FAAS' || (wishes.DAAS?.FLAVOUR ?? (wishes.DAAS && 'Function') ?? '') !== '',
          );
          check(names === wanted.join(' and '), () =>
            shownBy(runtime.created, { subject: `runtime ${runtime.id}`, expected: wanted.join(' and '), seen: names }),
          );
        }
        for (const [name, { VM_ID }] of runtime.first.functions) {
          const owner = `${name} of runtime ${runtime.id}`;
          const other = owners.get(VM_ID);
          check(other === undefined, () =>
            shownBy(runtime.created, {
              subject: `vm/${VM_ID}`,
              expected: `only ${other}`,
              seen: owner,
              edge: 'shared',
            }),
          );
          owners.set(VM_ID, owner);
        }
      }
      const operated = story.faults.some(({ fault }) =>
        story.run.scenario.faults?.some(
          (each) => each.id === fault && each.kind === 'operator' && each.action.startsWith('terminate'),
        ),
      );
      const census = story.censuses.at(-1)?.census;
      if (census === undefined || operated) return;
      const live = new Set(census.vms.map(({ id }) => id));
      for (const runtime of story.runtimes.values()) {
        const last = runtime.sights.at(-1);
        if (last === undefined || runtime.exchanges.some(({ op }) => op === 'delete')) continue;
        if (story.unsure(runtime.id, story.end)) continue;
        for (const [name, { VM_ID }] of last.shown.functions) {
          check(live.has(VM_ID), () =>
            shownBy(last.exchange, {
              subject: `${name} of runtime ${runtime.id}`,
              expected: `vm/${VM_ID} to live`,
              seen: 'it does not',
              edge: 'gone',
            }),
          );
        }
      }
    },
  },
  {
    id: 'R2',
    sentence: 'The VMs on a host never take more than the host has.',
    reason: 'Over-commitment shows only under load, and then everywhere.',
    judge({ censuses }, check) {
      for (const { at, census } of censuses) {
        for (const host of census.hosts) {
          const { cpu, memoryMiB } = host.most;
          check(cpu <= host.cpu + ROUNDING && memoryMiB <= host.memoryMiB, () => ({
            at,
            subject: `host/${host.id}`,
            expected: `at most ${host.cpu} CPUs and ${host.memoryMiB} MiB`,
            seen: `${cpu} CPUs and ${memoryMiB} MiB`,
          }));
        }
      }
    },
  },
  {
    id: 'R3',
    sentence: 'A RUNNING VM is on exactly one host, and that host is up.',
    reason: 'Otherwise its state is a lie.',
    judge({ censuses }, check) {
      for (const { at, census } of censuses) {
        const down = new Set(census.hosts.filter(({ state }) => state === 'ERROR').map(({ id }) => id));
        for (const { id, state, hosts } of census.vms) {
          if (state !== 'RUNNING') continue;
          check(hosts.length === 1 && !hosts.some((host) => down.has(host)), () => ({
            at,
            subject: `vm/${id}`,
            expected: 'one host that is up',
            seen: hosts.length === 1 ? `host ${hosts[0]}, which is down` : `${hosts.length} hosts`,
            edge: hosts.length === 1 ? 'down' : 'number',
          }));
        }
      }
    },
  },
  {
    id: 'R4',
    sentence:
      'What was deleted leaves no document, no service and no VM once all is quiet, and there is none that nobody has.',
    reason: 'A leak costs money, and nobody finds it.',
    judge(story, check) {
      const line = story.censuses.at(-1);
      if (line === undefined) return;
      for (const runtime of story.runtimes.values()) {
        const deletion = runtime.exchanges.find(({ op, response }) => op === 'delete' && response.status === 204);
        if (deletion === undefined || line.at - deletion.at < GOES_MS) continue;
        const vms = [...runtime.first.functions.values()].map(({ VM_ID }) => VM_ID);
        // Upstream, what is in BOOT, in a resize, or of a service that could not be undeployed before, keeps running.
        const leaks = story.deviations.has('delete-leaks-vm');
        const at = deletion.entry ?? 0;
        const composed = stateBefore(story, `service/${runtime.first.SERVICE_ID}`, at) === 'RUNNING';
        const running = (vm: number): boolean => stateBefore(story, `vm/${vm}`, at) === 'RUNNING';
        const held = vms.filter((vm) => story.disturbed(vm, 0, line.at) || (leaks && !(composed && running(vm))));
        const left = [
          ...(line.census.runtimes.includes(runtime.id) ? [`runtime ${runtime.id}`] : []),
          ...(line.census.services.includes(runtime.first.SERVICE_ID) && held.length === 0
            ? [`service ${runtime.first.SERVICE_ID}`]
            : []),
          ...vms
            .filter((vm) => !held.includes(vm) && line.census.vms.some(({ id }) => id === vm))
            .map((vm) => `vm/${vm}`),
        ];
        check(left.length === 0, () =>
          shownBy(deletion, {
            subject: `runtime ${runtime.id}`,
            expected: 'nothing left of it',
            seen: left.join(', '),
            edge: left.map((each) => each.replace(/\W\d+$/, '')).join(),
          }),
        );
      }
      for (const [subject, stray] of straysIn(story, line)) {
        check(stray === undefined, () => ({
          at: line.at,
          ...(stray?.exchange !== undefined && { exchange: stray.exchange }),
          subject,
          expected: 'an owner',
          seen: `none; it was made by ${stray?.because.kind} ${stray?.because.subject}`,
          edge: `astray ${subject.replace(/\d+$/, '')}`,
        }));
      }
    },
  },
  {
    id: 'R5',
    sentence: 'CPU, MEMORY and DISK_SIZE are those of the VM, and after an accepted update those that were asked for.',
    reason: 'A client reads there what it has got.',
    judge(story, check) {
      for (const runtime of story.runtimes.values()) {
        for (const { exchange, shown } of runtime.sights) {
          const wishes = wishesOf(story, exchange);
          if (wishes === undefined || exchange.response.status >= 300) continue;
          const rival =
            story.unsure(runtime.id, exchange.at) ||
            runtime.exchanges.some((each) => each.op === 'put' && overlap(each, exchange));
          for (const [name, fields] of shown.functions) {
            const wish = wishes[name];
            if (wish === undefined || rival || story.disturbed(fields.VM_ID, exchange.sent, exchange.at)) continue;
            for (const key of SIZES) {
              // A template whose disk has a size keeps its own at the creation.
              if (wish[key] === undefined) continue;
              check(wish[key] === fields[key], () =>
                shownBy(exchange, {
                  subject: `${key} of ${name} of runtime ${runtime.id}`,
                  expected: `${wish[key]}`,
                  seen: `${fields[key]}`,
                  edge: key,
                }),
              );
            }
          }
        }
        judgeMemory(story, runtime, check);
        for (const { exchange, name, fields, vm } of counterpartsOf(story, runtime)) {
          for (const key of SIZES) {
            const held = vm[HELD[key]] ?? 0;
            check(fields[key] === held, () =>
              shownBy(exchange, {
                subject: `${key} of ${name} of runtime ${runtime.id}`,
                expected: `${held}, as vm/${vm.id} has it`,
                seen: `${fields[key]}`,
                edge: `${key} of the VM`,
              }),
            );
          }
        }
      }
    },
  },
  {
    id: 'R6',
    sentence: 'The VM of a function has as many CPUs as VCPUs.',
    reason: 'The engine sets both from one number.',
    judge(story, check) {
      const vms = new Set(
        [...story.runtimes.values()].flatMap(({ first }) => [...first.functions.values()].map(({ VM_ID }) => VM_ID)),
      );
      for (const { at, census } of story.censuses) {
        for (const { id, cpu, vcpu } of census.vms) {
          if (!vms.has(id)) continue;
          check(cpu === vcpu, () => ({ at, subject: `vm/${id}`, expected: `CPU ${vcpu}`, seen: `CPU ${cpu}` }));
        }
      }
    },
  },
  {
    id: 'R7',
    sentence:
      'ENDPOINT is the address of the VM’s first NIC, or empty where it has none; it is stable while a runtime lives, and no two live runtimes share one that is leased.',
    reason: 'It is where the client sends its functions.',
    judge(story, check) {
      const runtimes = [...story.runtimes.values()];
      for (const runtime of runtimes) {
        const { id, sights } = runtime;
        for (const [n, { exchange, shown }] of sights.entries()) {
          const earlier = sights[n - 1]?.shown;
          for (const [name, { ENDPOINT }] of shown.functions) {
            const before = earlier?.functions.get(name)?.ENDPOINT;
            check(before === undefined || before === ENDPOINT, () =>
              shownBy(exchange, {
                subject: `${name} of runtime ${id}`,
                expected: `${before}`,
                seen: ENDPOINT,
                edge: 'moved',
              }),
            );
          }
        }
        for (const { exchange, name, fields, vm } of counterpartsOf(story, runtime)) {
          check(fields.ENDPOINT === vm.address, () =>
            shownBy(exchange, {
              subject: `${name} of runtime ${id}`,
              expected: vm.address === '' ? `nothing: vm/${vm.id} has no address` : vm.address,
              seen: fields.ENDPOINT,
              edge: 'another address',
            }),
          );
        }
      }
      for (const [n, { id, created, first }] of runtimes.entries()) {
        const mine = first.functions.get('FAAS')?.ENDPOINT ?? '';
        if (mine === '') continue;
        const twin = runtimes
          .slice(0, n)
          .find(
            (other) =>
              other.first.functions.get('FAAS')?.ENDPOINT === mine &&
              !mayBeDeleted(story, other, created) &&
              !hasEnded(story, other, created),
          );
        check(twin === undefined, () =>
          shownBy(created, {
            subject: `runtime ${id}`,
            expected: 'an address of its own',
            seen: `that of runtime ${twin?.id}: ${mine}`,
            edge: 'shared',
          }),
        );
      }
    },
  },
  {
    id: 'R8',
    sentence: 'What is booked on a user’s quota is what his live VMs take, and nothing once all are gone.',
    reason: 'A quota that drifts locks a tenant out, or lets him have what is another’s.',
    judge({ censuses }, check) {
      for (const { at, census } of censuses) {
        for (const { user, vms, cpu, memoryMiB } of census.quotas) {
          const own = census.vms.filter(({ owner }) => owner === user);
          const sum = (key: 'cpu' | 'memoryMiB'): number => own.reduce((total, vm) => total + vm[key], 0);
          const fits =
            vms === own.length &&
            Math.abs(cpu - sum('cpu')) <= ROUNDING &&
            Math.abs(memoryMiB - sum('memoryMiB')) <= ROUNDING;
          check(fits, () => ({
            at,
            subject: `user/${user}`,
            expected: `${own.length} VMs, ${sum('cpu')} CPUs and ${sum('memoryMiB')} MiB`,
            seen: `${vms} VMs, ${cpu} CPUs and ${memoryMiB} MiB`,
          }));
        }
      }
    },
  },
];

/** Amounts are kept in millionths. */
const ROUNDING = 1e-6;

/** The state that a VM or a service had entered last before an entry of the journal. */
const stateBefore = (story: Story, subject: string, seq: number): unknown =>
  story.entries.findLast((entry) => entry.seq < seq && entry.subject === subject && entry.kind.endsWith('.state'))
    ?.detail.to;

/** What an accepted update has set is what the next look shows. */
function judgeMemory(story: Story, runtime: Runtime, check: Parameters<Law['judge']>[1]): void {
  for (const [n, { exchange, shown }] of runtime.sights.entries()) {
    const earlier = runtime.sights[n - 1];
    if (exchange.op !== 'get' || earlier === undefined) continue;
    const puts = runtime.exchanges.filter(({ op }) => op === 'put');
    const quiet = puts.every(
      (put) => put === earlier.exchange || before(put, earlier.exchange) || before(exchange, put),
    );
    if (!quiet || !before(earlier.exchange, exchange) || story.unsure(runtime.id, exchange.at)) continue;
    for (const [name, fields] of shown.functions) {
      const was = earlier.shown.functions.get(name);
      const moving = was === undefined || was.STATE === 'UPDATING' || fields.STATE === 'UPDATING';
      if (moving || story.disturbed(fields.VM_ID, 0, exchange.at)) continue;
      for (const key of SIZES) {
        check(was[key] === fields[key], () =>
          shownBy(exchange, {
            subject: `${key} of ${name} of runtime ${runtime.id}`,
            expected: `${was[key]}`,
            seen: `${fields[key]}`,
            edge: `${key} later`,
          }),
        );
      }
    }
  }
}
