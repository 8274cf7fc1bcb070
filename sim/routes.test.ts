/** Every route has an operation in its contract, and every operation a route. */
import { readFileSync } from 'node:fs';
import type { Hono } from 'hono';
import { expect, test } from 'vitest';
import { loadContracts } from '../contracts/contract.ts';
import { compareRoutes, operationsOf } from '../contracts/routes.ts';
import { controlApi } from './api/control/control.ts';
import { engineApi } from './api/engine/api.ts';
import { gatekeeperApi } from './api/gatekeeper/api.ts';
import { prometheusApi } from './api/prometheus/api.ts';
import { loadSimulator } from './index.ts';
import { Clock } from './kernel/clock.ts';

const simulator = await loadSimulator();
const { world } = simulator;
const { deviations, maxBodyBytes, engine, gatekeeper } = world.config;
const signingKey = readFileSync(new URL('../fixtures/keys/gatekeeper.pem', import.meta.url), 'utf8');

const {
  app,
  manager,
  door: instances,
} = gatekeeperApi({
  ...world,
  clock: new Clock(0),
  config: gatekeeper,
  deviations,
  maxBodyBytes,
  signingKey,
});

const APPS: Readonly<Record<string, readonly Pick<Hono, 'routes'>[]>> = {
  'engine.yaml': [engineApi({ cloud: world.cloud, config: engine, deviations, bodyLimit: maxBodyBytes })],
  'gatekeeper.yaml': [app],
  'monitoring.yaml': [manager],
  'control.yaml': [
    controlApi({
      ...world,
      instances,
      maxBodyBytes,
      controlHosts: [],
      kept: simulator,
      sandboxes: simulator.sandboxes,
    }),
  ],
  'prometheus.yaml': [prometheusApi({ ...world, maxBodyBytes })],
};

test.each(await loadContracts())('$file: routes and operations are the same', (contract) => {
  const routes = APPS[contract.file]?.flatMap((app) => app.routes) ?? [];
  expect(compareRoutes(routes, operationsOf(contract))).toEqual({ undocumented: [], unserved: [] });
  expect(routes.length).toBeGreaterThan(0);
});
