/** What Prometheus tells of alerting rules and their alerts, as its web API writes them. */
import { type Alert, EVALUATION_MS, evaluationAt } from '../../metrics/alert.ts';
import { type AlertRule, queryOf } from '../../metrics/alert-rule.ts';
import type { Labels } from '../../metrics/labels.ts';
import { success } from './answer.ts';
import { invalid } from './parameters.ts';

interface Watched {
  readonly rule: AlertRule;
  readonly alerts: readonly Alert[];
}

export const alertsAnswer = (watched: readonly Watched[]): Response =>
  success(JSON.stringify({ alerts: watched.flatMap(alertTexts) }));

/** @throws ApiError */
export function rulesAnswer(form: URLSearchParams, watched: () => readonly Watched[], now: number): Response {
  const type = form.get('type') ?? '';
  if (!['', 'alert', 'record'].includes(type.toLowerCase())) {
    throw invalid('type', `not supported value ${JSON.stringify(type)}`);
  }
  const groups = new Map<string, Watched[]>();
  for (const one of type.toLowerCase() === 'record' ? [] : watched()) {
    const group = groups.get(one.rule.group) ?? [];
    groups.set(one.rule.group, group);
    group.push(one);
  }
  const evaluated = { evaluationTime: 0, lastEvaluation: timeText(evaluationAt(now)) };
  const told = Array.from(groups, ([name, rules]) => ({
    name,
    file: `${name}.rules`,
    rules: rules.map((one) => ({
      state: worstOf(one.alerts),
      name: one.rule.name,
      query: queryOf(one.rule),
      duration: one.rule.forMs / 1000,
      keepFiringFor: 0,
      labels: Object.fromEntries(one.rule.labels),
      annotations: one.rule.annotations,
      alerts: alertTexts(one),
      health: 'ok',
      ...evaluated,
      type: 'alerting',
    })),
    interval: EVALUATION_MS / 1000,
    limit: 0,
    ...evaluated,
  }));
  return success(JSON.stringify({ groups: told }));
}

const worstOf = (alerts: readonly Alert[]): string =>
  (['firing', 'pending'] as const).find((state) => alerts.some((alert) => alert.state === state)) ?? 'inactive';

const alertTexts = ({ rule, alerts }: Watched): object[] =>
  alerts.map(({ labels, state, activeAt, value }) => ({
    labels: shown(labels),
    annotations: rule.annotations,
    state,
    activeAt: timeText(activeAt),
    value: exponential(value),
  }));

const shown = (labels: Labels): Record<string, string> => Object.fromEntries(labels);

/** RFC 3339; evaluations are at whole seconds. */
const timeText = (atMs: number): string => new Date(atMs).toISOString().replace('.000Z', 'Z');

/** With an exponent of two digits at least, as Go writes it. */
const exponential = (value: number): string =>
  Number.isFinite(value)
    ? value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
    : Number.isNaN(value)
      ? 'NaN'
      : value > 0
        ? '+Inf'
        : '-Inf';
