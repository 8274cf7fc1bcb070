/** What `import … from 'onesim'` gives. */
export type { Config } from './config.ts';
export type { Urls } from './listen.ts';
export { Problem } from './problem.ts';
export {
  createSimulator,
  type Exchange,
  type Simulator,
  type SimulatorConfig,
  type World,
} from './simulator.ts';
export { loadSimulator, type Running, type StartOptions, startSim } from './start.ts';
export { furnishing } from './worlds.ts';
