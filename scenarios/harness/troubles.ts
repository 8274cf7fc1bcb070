/** What troubles the world of a run: faults, what an operator does, hosts that fall silent. And what heals it again. */
import type { FunctionState } from '../../sim/index.ts';
import { type Bound, controlRefusal, legible, meantBy, type Own, wireFault } from './answers.ts';
import type { Clients } from './clients.ts';
import type { Fault } from './scenario.ts';
import type { Answer, FaultLine, HealLine } from './trace.ts';
import type { God } from './transport.ts';

/** What it needs of the run. */
interface Ground {
  readonly god: God | undefined;
  readonly clients: Clients;
  boundTo(ref: string): Bound | undefined;
  /** All that have been made. */
  vms(): readonly number[];
  stateOf(vm: number): FunctionState | undefined;
  advance(ms: number): Promise<void>;
  /** Takes down what has happened meanwhile. */
  listen(): void;
  skip(id: string, why: string): void;
  /** Writes a line, behind what has happened meanwhile. */
  tell(line: Omit<FaultLine, 'at'> | Omit<HealLine, 'at'>): void;
  note(event: string): void;
  census(): void;
}

/** How long a host is silent unless the scenario says so, in milliseconds. */
const SILENT_MS = 60_000;

/** OpenNebula takes a host for lost that it has not heard of for so long (MONITOR_HOST), in milliseconds. */
const GIVEN_UP_MS = 120_000;

const HOMELESS = 'its VM is on no host';

/** A fault that may end by itself. */
type Lasting = Pick<Fault, 'id'> & { readonly forMs?: number };

/** So long what is tried again may take, in milliseconds. */
const SETTLES_MS = 60_000;

/** What `one.vm.recover` is to do. */
const [SUCCESS, RETRY] = [1, 2];

export class Troubles {
  readonly #ground: Ground;
  /** The number of each fault that is armed, by its name in the scenario. */
  readonly #armed = new Map<string, string>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  async begin(fault: Fault): Promise<void> {
    const { clients, boundTo, skip } = this.#ground;
    const ref = 'ref' in fault ? fault.ref : undefined;
    const bound = ref === undefined ? undefined : boundTo(ref);
    const vm = bound?.vms[0] ?? null;
    const stop = (why: string): void => skip(fault.id, why);
    if (ref !== undefined && vm === null) return stop('what it refers to was not made');
    switch (fault.kind) {
      case 'driver':
      case 'declared': {
        const own = bound === undefined || vm === null ? undefined : await this.#ownOf(meantBy(fault), bound, vm);
        if (typeof own === 'string') return stop(own);
        return this.#arm(fault, wireFault(fault, own), vm, stop);
      }
      case 'operator': {
        const answer = await clients.administer('operator', 'one.vm.action', fault.action, vm ?? -1);
        return succeeded(answer) ? this.#note(fault, 'began', vm) : stop('it was refused');
      }
      case 'hostDown':
        return this.#silence(fault, vm ?? -1, stop);
      default:
        fault satisfies never;
    }
  }

  /** @param noticedMs how long it takes until anybody notices: not before that has it begun */
  async #arm(
    fault: Lasting,
    wanted: object,
    vm: number | null,
    stop: (why: string) => void,
    noticedMs = 0,
  ): Promise<void> {
    const answer = await this.#ground.clients.post('/_onesim/faults', 'arm', wanted);
    if (answer?.status !== 201) return stop(refusal(answer));
    this.#armed.set(fault.id, JSON.parse(answer.body).id);
    if (noticedMs > 0) await this.#ground.advance(noticedMs);
    this.#note(fault, 'began', vm);
    if (fault.forMs === undefined) return;
    await this.#ground.advance(fault.forMs);
    await this.#disarm(fault.id);
    this.#note(fault, 'ended', vm);
  }

  async #silence(fault: Lasting, vm: number, stop: (why: string) => void): Promise<void> {
    const { god, advance, census } = this.#ground;
    if (god === undefined) {
      const host = await this.#hostOf(vm);
      if (typeof host === 'string') return stop(host);
      const down = { selector: { layer: 'host', ...host }, effect: { do: 'down' } };
      return this.#arm({ ...fault, forMs: fault.forMs ?? SILENT_MS }, down, vm, stop, GIVEN_UP_MS);
    }
    const host = god.hostOf(vm);
    if (host === undefined) return stop(HOMELESS);
    god.setHost(host, false);
    this.#note(fault, 'began', vm);
    census();
    await advance(fault.forMs ?? SILENT_MS);
    god.setHost(host, true);
    this.#note(fault, 'ended', vm);
  }

  /** What a fault is of, or why nobody can say. */
  async #ownOf(what: ReturnType<typeof meantBy>, { service }: Bound, vm: number): Promise<Own | string> {
    if (what === 'host') return this.#hostOf(vm);
    return what === 'vm' ? { vm } : { service };
  }

  /** The host that a VM is on, by its name; or why there is none. */
  async #hostOf(vm: number): Promise<{ readonly host: string } | string> {
    const plea = { method: 'GET', path: `/_onesim/vms/${vm}`, headers: {}, body: null };
    const answer = await this.#ground.clients.ask(plea, { step: null, op: 'find', as: 'admin' });
    if (answer?.status !== 200) return refusal(answer);
    const host = legible(() => JSON.parse(answer.body).host);
    return typeof host === 'string' ? { host } : HOMELESS;
  }

  /** Disarms what is armed, has what failed tried again, and what was put away taken up. */
  async heal(): Promise<void> {
    const { god, clients, vms, stateOf, advance, listen, tell } = this.#ground;
    await this.#disarmAll();
    for (const vm of vms()) {
      // Over HTTP nobody knows better than the last look.
      if (god !== undefined && stateOf(vm) === 'RUNNING') continue;
      await clients.administer('heal', 'one.vm.recover', vm, RETRY);
      await clients.administer('heal', 'one.vm.action', 'resume', vm);
      await clients.administer('heal', 'one.vm.action', 'release', vm);
    }
    // What no driver tries again, such as a resize, is told that it has succeeded; what was on its way to rest is taken up.
    await advance(SETTLES_MS);
    listen();
    // What was armed meanwhile would go on.
    await this.#disarmAll();
    for (const vm of vms()) {
      if (stateOf(vm) === 'UPDATING') await clients.administer('heal', 'one.vm.recover', vm, SUCCESS);
      if (stateOf(vm) !== 'RUNNING') await clients.administer('heal', 'one.vm.action', 'resume', vm);
    }
    tell({ kind: 'healed' });
  }

  #note({ id }: Pick<Fault, 'id'>, phase: FaultLine['phase'], vm: number | null): void {
    this.#ground.tell({ kind: 'fault', fault: id, phase, vm });
    this.#ground.note(`${id}.${phase}`);
  }

  async #disarmAll(): Promise<void> {
    for (const fault of [...this.#armed.keys()]) await this.#disarm(fault);
  }

  async #disarm(fault: string): Promise<void> {
    const armed = this.#armed.get(fault);
    if (armed === undefined) return;
    this.#armed.delete(fault);
    const plea = { method: 'DELETE', path: `/_onesim/faults/${armed}`, headers: {}, body: null };
    await this.#ground.clients.ask(plea, { step: null, op: 'disarm', as: 'admin' });
  }
}

/** Why the target does not do it, in its own words if it says so. */
function refusal(answer: Answer | null): string {
  if (answer === null) return 'the target did not answer';
  const said = controlRefusal(answer);
  return said === undefined ? 'the target takes no faults' : `it was refused: ${said}`;
}

const succeeded = (answer: Answer | null): boolean => answer?.body.includes('<boolean>1</boolean>') === true;
