/** Monitoring requests: their checks, which come in an order of their own, and what historical and live data are answered with. */
import type { Context } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { json, Refusal } from './answer.ts';
import type { GatekeeperConfig } from './config.ts';
import type { Deviations } from './deviations.ts';
import { requireLicence } from './elements.ts';
import type { Gate } from './gate.ts';
import { history } from './history.ts';
import type { Licences } from './licences.ts';
import {
  isMetricName,
  metricsOf,
  type Parameters,
  parametersOf,
  RANGE_PARAMETERS,
  requireAll,
} from './monitoring-parameters.ts';
import type { Records } from './records.ts';
import type { Streams } from './streams.ts';

interface MonitoringWorld {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly deviations: Deviations;
  readonly config: GatekeeperConfig;
  readonly gate: Gate;
  readonly records: Records;
  readonly licences: Licences;
  readonly streams: Streams;
}

/** What monitoring answers begin with, as keys of the answer. */
interface Component {
  readonly function_instance_uuid: string;
  readonly vdu_id: string;
  readonly vc_uuid: string;
}

type Answer = (c: Context) => Response;

export function monitoring(world: MonitoringWorld): { readonly asynch: Answer; readonly synch: Answer } {
  const { clock, metrics, deviations, config, gate, records, licences, streams } = world;

  /** The checks of a monitoring request. It needs a token, and yet counts as anonymous. @throws Refusal */
  const monitored = (c: Context, what: string, check: (parameters: Parameters) => void) => {
    gate.anonymous();
    const parameters = parametersOf(c.req.url, c.req.param('parameters') !== undefined);
    if (deviations.has('parameters-before-token')) check(parameters);
    const forbidden = () =>
      new Refusal(403, `Forbidden: user could not be authorized to request ${what} monitoring data`);
    const { username } = deviations.has('dead-token-403') ? gate.user(c, forbidden) : gate.user(c);
    check(parameters);
    const instance = c.req.param('instance') ?? '';
    requireLicence(records.functionOf(instance), username, licences);
    const vc = c.req.param('vc') ?? '';
    const component: Component = { function_instance_uuid: instance, vdu_id: c.req.param('vdu') ?? '', vc_uuid: vc };
    return { parameters, component, vc };
  };

  const needed = deviations.has('synch-range-optional') ? (['metrics'] as const) : RANGE_PARAMETERS;
  const labels = deviations.has('metrics-list-two-blanks') ? { metrics: 'Metrics list ' } : {};

  return {
    asynch(c) {
      const { parameters, component, vc } = monitored(c, 'asynch', (given) => requireAll(given, RANGE_PARAMETERS));
      const lenient = deviations.has('bad-range-200');
      const { status, ...found } = history(metrics, vc, parameters, clock.now, lenient);
      return json({ status, ...component, ...found });
    },
    synch(c) {
      const { parameters, component, vc } = monitored(c, 'synch', (given) => requireAll(given, needed, labels));
      const names = metricsOf(parameters);
      const asked = names.filter(isMetricName);
      if (asked.length === 0) return json({ status: null, ...component, metrics: names, ws_url: '' });
      const streamed = deviations.has('last-stream-only') ? asked.slice(-1) : [...new Set(asked)];
      const id = streams.open(streamed, [`id='${vc}'`, "type='vnf'"]);
      if (id === null) return json({ status: 'FAIL', ...component, metrics: names, ws_url: null });
      const host = config.streamHost ?? new URL(c.req.url).host;
      return json({
        status: 'SUCCESS',
        ...component,
        metrics: names,
        ws_url: `ws://${host}${config.streamBase}/ws/${id}`,
      });
    },
  };
}
