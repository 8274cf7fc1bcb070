/** `onesim serve`: reads the settings, starts the stand-in, says where it is, logs requests, and stops when asked. */

import { CONFIG_FILE, type Config, parseConfig, readCommandLine } from '../config.ts';
import type { Machine } from '../machine.ts';
import { reason } from '../machine.ts';
import { Problem } from '../problem.ts';
import { readSource } from '../source.ts';
import { startSim } from '../start.ts';
import { banner, readyLine } from './banner.ts';
import { logLine } from './request-log.ts';

/** Resolves when the stand-in has stopped. @throws Problem */
export async function serve(args: readonly string[], version: string, machine: Machine): Promise<void> {
  const config = await configOf(args, machine);
  const form = config.log === 'auto' ? (machine.isTerminal ? 'pretty' : 'json') : config.log;
  const coloured = machine.isTerminal && machine.env.NO_COLOR === undefined;
  const { urls, simulator, worldFile, close } = await startSim({
    ...config,
    onAnswer: (exchange) => machine.out(logLine(exchange, form, coloured)),
  });
  // A world that goes on brings its own.
  const { config: own, pace } = simulator.world;
  const inForce = { ...config, seed: own.seed, clock: pace.factor };
  const ready = { version, pid: machine.pid, config: inForce, urls, world: worldFile.world };
  machine.out(form === 'json' ? readyLine(ready) : banner(ready, coloured));
  await machine.stopped();
  await close();
}

async function configOf(args: readonly string[], machine: Machine): Promise<Config> {
  const commandLine = readCommandLine(args, machine.env);
  const { configFile } = commandLine;
  const file = configFile?.text ?? CONFIG_FILE;
  let text: string;
  try {
    text = await machine.readFile(file);
  } catch (error) {
    if (configFile === undefined) return parseConfig(commandLine);
    throw new Problem(`${configFile.origin}: cannot read ${file}: ${reason(error)}`);
  }
  return parseConfig(commandLine, await readSource(text, file));
}
