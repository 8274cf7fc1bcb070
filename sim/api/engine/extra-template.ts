/**
 * The template text that the Provisioning Engine adds to the VM templates of a runtime. Mirrors `map_vm_template` and
 * `map_user_template` of its `function.rb`, and `template_like_str` of OpenNebula's Ruby binding: oned's parser is the judge of it.
 */
import { type Derived, derived } from '../../one/resources/inheritance.ts';
import type { Template, Vector } from '../../one/syntax/syntax.ts';
import { bytesOf, wellFormed } from '../bytes.ts';
import type { Hash, Value } from '../ruby-json.ts';
import { toInteger, toText } from '../ruby-text.ts';
import type { EngineConfig } from './config.ts';
import { encode64 } from './credentials.ts';
import { Crash } from './refusal.ts';

type Capacity = EngineConfig['capacity'];

const CONTENTS: Derived<string> = new WeakMap();

/**
 * The contents of a role: capacity, disk and context of its VM, and what goes into its user template.
 * @throws Crash without a DISK, or with two; or when they are not UTF-8
 */
export function roleContents(
  wanted: Hash,
  template: Template,
  session: string,
  capacity: Capacity,
  user: string,
): string {
  const asked = ASKED.map((name) => given(wanted, name));
  return derived(CONTENTS, template.contents, [...asked, session, capacity, user], () => {
    const text = `${contentsText(wanted, template, session, capacity)}\n${user}`;
    if (!wellFormed(text)) throw new Crash('the contents of a role are not UTF-8');
    return text;
  });
}

/** What of a function goes into the contents of its role. */
const ASKED = ['CPU', 'MEMORY', 'DISK_SIZE'] as const;

function contentsText(wanted: Hash, template: Template, session: string, { disk, cpu, memory }: Capacity): string {
  const cpus = given(wanted, 'CPU') ?? orDefault(template.get('VCPU'), cpu.default);
  const mebibytes = given(wanted, 'MEMORY') ?? orDefault(template.get('MEMORY'), memory.default);
  return [
    'HOT_RESIZE=[CPU_HOT_ADD_ENABLED=YES,\nMEMORY_HOT_ADD_ENABLED=YES]',
    `MEMORY_RESIZE_MODE=${memory.resize_mode}`,
    `DISK=[${diskText(template, given(wanted, 'DISK_SIZE') ?? BigInt(disk.default))}]`,
    `CPU=${cpus}`,
    `VCPU=${cpus}`,
    `MEMORY=${mebibytes}`,
    `VCPU_MAX=${cpus * BigInt(cpu.mult)}`,
    `MEMORY_MAX=${mebibytes * BigInt(memory.mult)}`,
    `CONTEXT=[${contextText(template, session)}]`,
  ].join('\n');
}

function given(wanted: Hash, key: (typeof ASKED)[number]): bigint | undefined {
  const value = wanted.get(key);
  return typeof value === 'bigint' ? value : undefined;
}

function orDefault(text: string | undefined, fallback: number): bigint {
  const value = toInteger(text ?? '');
  return value === 0n ? BigInt(fallback) : value;
}

function diskText(template: Template, size: bigint): string {
  const text = only(template, 'DISK');
  if (text === undefined) throw new Crash('the VM template has no DISK');
  // A SIZE of its own stays: upstream means to replace it, but looks for the letter d where it means a digit.
  return text.includes('SIZE=') ? separated(text) : separated(`${text}\nSIZE="${size}"`);
}

function contextText(template: Template, session: string): string {
  const auth = `SR_AUTH="${encode64(bytesOf(session))}"`;
  const text = only(template, 'CONTEXT');
  return text === undefined ? auth : separated(`${text}\n${auth}`);
}

/** An attribute that may be there once, as lines `KEY="value"`. @throws Crash */
function only(template: Template, name: string): string | undefined {
  const all = [...template].filter((attribute) => attribute.name === name);
  if (all.length > 1) throw new Crash(`the VM template has ${all.length} of ${name}`);
  const value = all[0]?.value;
  return typeof value === 'string' ? '' : value && lines(value);
}

const lines = (vector: Vector): string =>
  [...vector]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}="${value.replaceAll('"', '\\"')}"`)
    .join('\n');

/** Puts a comma behind each line that ends in a quote, and takes the last comma of all away again. */
function separated(text: string): string {
  const commas = text.replace(/"(?=\n|$)/g, '",');
  const last = commas.lastIndexOf(',');
  return commas.slice(0, last) + commas.slice(last + 1);
}

/** What of SCHEDULING becomes which attribute of the VM. */
const SCHEDULING: Readonly<Record<string, string>> = {
  REQUIREMENTS: 'SCHED_REQUIREMENTS',
  POLICY: 'SCHED_RANK',
};

/** What goes into the user template of each VM. @throws Crash when SCHEDULING holds something without upper case */
export function userTemplate(runtime: Hash): string {
  let text = '';
  for (const [property, value] of entries(runtime.get('SCHEDULING'))) {
    if (typeof value !== 'string') throw new Crash(`${property} of SCHEDULING is no text`);
    text += `${SCHEDULING[property] ?? ''}="${value.toUpperCase()}"\n`;
  }
  if (!runtime.has('DEVICE_INFO')) return text;
  const device = entries(runtime.get('DEVICE_INFO')).map(([property, value]) => `${property}="${toText(value)}"`);
  return `${text}DEVICE_INFO=[${device.join(',\n')}]\n`;
}

/** The entries of an object that hold something: neither null nor false. */
const entries = (value: Value | undefined): [string, Value][] =>
  value instanceof Map ? [...value].filter(([, entry]) => entry !== null && entry !== false) : [];
