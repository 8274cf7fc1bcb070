import { describe, expect, test } from 'vitest';
import { loadContracts, operationFor, parseContract } from './contract.ts';

const contracts = await loadContracts();

describe('the operation behind a request', () => {
  test.each([
    ['GET', '/serverless-runtimes/schema', 'getSchema'],
    ['PUT', '/serverless-runtimes/schema', 'updateRuntime'],
    ['HEAD', '/serverless-runtimes/12', 'readRuntime'],
    ['GET', '/serverless-runtimes/12abc?x=1', 'readRuntime'],
    ['GET', '/serverless-runtimes/', 'unknownRoute'],
    ['GET', '/serverless-runtimes/1%2F2', 'unknownRoute'],
    ['PATCH', '/serverless-runtimes/1', 'unknownRoute'],
    ['GET', '/', 'unknownRoute'],
    ['GET', '', 'unknownRoute'],
    ['GET', '/services-of-mine', 'unknownRoute'],
    ['GET', '/functions', 'listFunctions'],
    ['GET', '/functions/', 'listFunctions'],
    ['GET', '/api/v2/functions/?limit=3', 'listFunctions'],
    ['GET', '/api/v2/functions//', 'unknownPath'],
    ['GET', '/functions/metrics', 'getFunction'],
    ['GET', '/functions/metrics/names', 'listMetricNames'],
    ['GET', '/functions/i/v/c/asynch-mon-data/metrics=m&since=1&until=2&step=1', 'asynchPath'],
    ['GET', '/functions/i/v/c/asynch-mon-data?metrics=m', 'asynchQuery'],
    ['GET', '/api/v2/functions/metrics/i/v/c/synch-mon-data/', 'synchMetricsQuery'],
    ['GET', '/api/v2/functions/metrics/i/v/c/synch-mon-data/metrics=m', 'synchMetricsPath'],
    ['GET', '/functions/metrics/v/c/asynch-mon-data', 'unknownPath'],
    ['GET', '/functions/m%65trics/v/c/asynch-mon-data', 'unknownPath'],
    ['GET', '/functions/%FF/v/c/asynch-mon-data', 'asynchQuery'],
    ['DELETE', '/functions', 'unknownPath'],
    ['DELETE', '/api/v2/sessions', 'closeSessions'],
    ['GET', '/api/v2/nope', 'unknownPath'],
    ['GET', '/api/v1/nope', 'unknownPrometheusPath'],
    ['GET', '/api/v3/nope', 'unknownRoute'],
    ['GET', '/_onesim/vms/3/context.sh', 'getVmContext'],
    ['GET', '/_onesim/vms/3/', 'unknownControlPath'],
    ['GET', '/metrics', 'getMetrics'],
  ])('%s %s is %s', (method, path, id) => {
    expect(operationFor(contracts, method, path)?.operation.id).toBe(id);
  });

  test.each(['/RPC2', '/service', '/service/12', '/service_template/3/action'])('%s is OpenNebula’s own', (path) => {
    expect(operationFor(contracts, 'GET', path)).toBeUndefined();
  });
});

test('a document that is no YAML is refused by name', async () => {
  await expect(parseContract('x.yaml', 'a: [')).rejects.toThrow('x.yaml');
});
