/** The configuration of the Provisioning Engine, with the keys and the order in which `GET /server/config` shows it. Mirrors `configuration.rb`. */
import type { Hash, Value } from '../ruby-json.ts';

export interface EngineConfig {
  readonly one_xmlrpc: string;
  readonly oneflow_server: string;
  readonly host: string;
  readonly port: number;
  /** How often it looks at what it waits for, once a second. */
  readonly timeout: number;
  readonly capacity: {
    /** MiB; `mult` times the value is the most that a VM may be resized to. */
    readonly disk: { readonly default: number };
    readonly cpu: { readonly default: number; readonly mult: number };
    readonly memory: {
      readonly default: number;
      readonly mult: number;
      readonly resize_mode: 'BALLOONING' | 'HOTPLUG';
    };
  };
  /** 3 error … 0 debug */
  readonly log: {
    readonly level: 0 | 1 | 2 | 3;
    readonly system: 'file' | 'syslog';
  };
}

export const ENGINE_DEFAULTS: EngineConfig = {
  one_xmlrpc: 'http://localhost:2633/RPC2',
  oneflow_server: 'http://localhost:2474',
  host: '127.0.0.1',
  port: 1337,
  timeout: 30,
  capacity: {
    disk: { default: 1024 },
    cpu: { default: 2, mult: 2 },
    memory: { default: 1024, mult: 2, resize_mode: 'BALLOONING' },
  },
  log: { level: 2, system: 'file' },
};

type Part = string | number | { readonly [key: string]: Part };

export const configValue = (config: EngineConfig): Hash => hash({ ...config });

const hash = (part: { readonly [key: string]: Part }): Hash =>
  new Map(Object.entries(part).map(([key, value]) => [key, partValue(value)]));

function partValue(part: Part): Value {
  if (typeof part === 'number') return BigInt(part);
  return typeof part === 'string' ? part : hash(part);
}
