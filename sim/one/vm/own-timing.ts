/** What the timing says of one VM's driver actions: the overrides that are meant for it come before the profile. */
import { fits } from '../../kernel/pattern.ts';
import type { Distribution } from '../../kernel/random.ts';
import type { Cloud } from '../cloud.ts';
import type { TimingOverride } from '../timing.ts';
import type { DriverAction } from './lifecycle.ts';
import { currentPlacement } from './placement.ts';
import type { Vm } from './vm.ts';

interface OwnTiming {
  /** Without it: as the profile has it. */
  readonly duration?: Distribution;
  /** Probability that the action fails. */
  readonly failing: number;
}

const NEVER_FAILS: OwnTiming = { failing: 0 };

export function ownTiming(cloud: Cloud, vm: Vm, action: DriverAction): OwnTiming {
  const { failing, overrides } = cloud.config.timing;
  if (overrides.length === 0) {
    const chance = failing[action];
    return chance === undefined ? NEVER_FAILS : { failing: chance };
  }
  const own = overrides.filter(({ selector }) => isMeant(cloud, vm, selector));
  const duration = own.find(({ actions }) => actions?.[action] !== undefined)?.actions?.[action];
  const chance = own.find((override) => override.failing?.[action] !== undefined)?.failing?.[action];
  return { failing: chance ?? failing[action] ?? 0, ...(duration === undefined ? {} : { duration }) };
}

function isMeant(cloud: Cloud, vm: Vm, { template, host, user, name }: TimingOverride['selector']): boolean {
  const templateOf = (): string => cloud.templates.find(Number(vm.template.get('TEMPLATE_ID') ?? -1))?.name ?? '';
  return (
    (name === undefined || fits(name, vm.name)) &&
    (host === undefined || fits(host, currentPlacement(vm)?.hostname ?? '')) &&
    (user === undefined || fits(user, cloud.users.find(vm.uid)?.name ?? '')) &&
    (template === undefined || fits(template, templateOf()))
  );
}
