/**
 * The monitoring rules of VNFDs, as the alerting rules that watch the instances: one for each VNFC of the VDU that a rule
 * names. Mirrors what SONATA's service life cycle manager sends to its monitoring manager.
 */

import type { AlertRule } from '../../metrics/alert-rule.ts';
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';
import type { Catalogue } from './catalogue.ts';
import type { FunctionInstance } from './furnishing.ts';
import { textOf } from './json-body.ts';
import type { Records } from './records.ts';

/** An instance is watched by so many rules at most. */
const MOST_RULES = 1000;

/** By the unit of a duration, milliseconds; seconds, where there is none. */
const UNITS = new Map(Object.entries({ ns: 1e-6, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }));

/** Longer than any world lives. */
const LONGEST_MS = 1e14;

/** The rules of all instances that there are records of. */
export function alertRules(functions: Catalogue, records: Records): () => readonly AlertRule[] {
  const known = new WeakMap<FunctionInstance, { readonly group: string; readonly rules: readonly AlertRule[] }>();
  return () => {
    const services = new Map<string, string>();
    for (const { uuid, functionInstances } of records.serviceInstances) {
      for (const part of functionInstances) services.set(part, uuid);
    }
    return records.functionInstances.flatMap((instance) => {
      const group = services.get(instance.uuid) ?? instance.uuid;
      const before = known.get(instance);
      if (before?.group === group) return before.rules;
      const descriptor = functions.find(instance.functionUuid)?.descriptor ?? {};
      const rules = rulesOf(descriptor, instance, group);
      known.set(instance, { group, rules });
      return rules;
    });
  };
}

/** Of rules with one name for one VNFC the first counts: their alerts could not be told apart. */
function rulesOf({ monitoring_rules: given }: JsonObject, instance: FunctionInstance, group: string): AlertRule[] {
  const rules = new Map<string, AlertRule>();
  for (const rule of Array.isArray(given) ? given.filter(isObject) : []) {
    const condition = conditionOf(rule.condition);
    if (condition === undefined) continue;
    const { vdu, ...what } = condition;
    const name = (textOf(rule.name) ?? '').replace(/[: ]/g, '_');
    for (const { vcId } of instance.vdus.find(({ id }) => id === vdu)?.vnfcs ?? []) {
      const key = `${vcId} ${name}`;
      if (rules.has(key) || rules.size === MOST_RULES) continue;
      rules.set(key, {
        ...what,
        name,
        group,
        id: vcId,
        forMs: durationOf(rule),
        labels: [['serviceID', group]],
        annotations: annotationsOf(rule),
        since: instance.createdAt,
      });
    }
  }
  return [...rules.values()];
}

/** `<vdu id>:<metric> <op> <number>`, with single blanks; undefined for what SONATA does not understand. */
function conditionOf(condition: Json | undefined) {
  const [, vdu, metric = '', operator, number] =
    /^([^:\s]+):([a-zA-Z_]\w*) ([<>]) ([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.exec(textOf(condition) ?? '') ?? [];
  if (vdu === undefined || (operator !== '>' && operator !== '<')) return undefined;
  return { vdu, metric, operator, threshold: Number(number) } as const;
}

function durationOf({ duration, duration_unit }: JsonObject): number {
  const ms = Number(textOf(duration)) * (UNITS.get(textOf(duration_unit) ?? 's') ?? 1000);
  return Math.min(LONGEST_MS, Math.max(0, ms)) || 0;
}

/** What the alert is for, and who is to hear of it how. */
function annotationsOf({ description, notification }: JsonObject): Record<string, string> {
  const types = (Array.isArray(notification) ? notification.filter(isObject) : []).map(
    ({ type }) => textOf(type) ?? '',
  );
  return {
    ...(typeof description === 'string' ? { description } : {}),
    ...(types.length === 0 ? {} : { notification: [...new Set(types)].join(',') }),
  };
}
