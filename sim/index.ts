/** What `import … from 'onesim'` gives. */
export type { Beginning } from './api/control/state.ts';
export type { Plea, Told } from './api/plain.ts';
export type { Config } from './config.ts';
export { type ControlClient, ControlError, controlClient } from './control-client.ts';
export type { Exchange } from './exchange.ts';
export { Unreadable, Unsettled } from './kernel/held.ts';
export type { Urls } from './net/listen.ts';
export { Problem } from './problem.ts';
export {
  createSimulator,
  type Simulator,
  type SimulatorConfig,
  type World,
} from './simulator.ts';
export { loadSimulator, type Running, type StartOptions, startSim } from './start.ts';
export { furnishing } from './world/worlds.ts';

// ---- what the harness stands on -------------------------------------------------------------------------------------

export { type FunctionState, mappedState } from './api/engine/state.ts';
export type { Command } from './command-line/command.ts';
export * as exitCodes from './command-line/exit-codes.ts';
export * as flags from './command-line/flags.ts';
export { readFault } from './faults/flaws.ts';
export { FAULT, FAULT_SCHEMA } from './faults/schema.ts';
export type { Flaw, FormOf, Path } from './kernel/form.ts';
export * as form from './kernel/form.ts';
export type { Entry } from './kernel/journal.ts';
export { suggestion } from './kernel/nearest.ts';
export { Latest, remembered } from './kernel/remembered.ts';
export { attempt, type Soon, whenThere } from './kernel/soon.ts';
export { type Machine, reason } from './machine.ts';
export { setHostState } from './one/resources/host.ts';
export { TIMINGS, type TimingName } from './one/timing.ts';
export {
  ACTIONS,
  FAILURES,
  GUEST_STATES,
  OPERATIONS,
  STATES,
  STEPS,
  type State,
  VM_ACTIONS,
} from './one/vm/lifecycle.ts';
export { PROFILES } from './simulator.ts';
export { readSource, type Source } from './source.ts';
