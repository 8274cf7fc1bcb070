/**
 * What a Gatekeeper is furnished with: its users, its catalogue (packages, services, functions) and the records of what
 * runs. The virtual machines behind the records exist in the cloud already; USER_TEMPLATE of each names its record.
 */
import type { JsonObject } from '../../one/flow/json.ts';

export interface GatekeeperFurnishing {
  readonly users: readonly GatekeeperUser[];
  /** Each in order of insertion, as lists show them. */
  readonly functions: readonly CatalogueElement[];
  readonly services: readonly CatalogueElement[];
  readonly packages: readonly CatalogueElement[];
  readonly instances: readonly FunctionInstance[];
  readonly serviceInstances: readonly ServiceInstance[];
  readonly vim: Vim;
}

/** Where the machines of new instances go. */
export interface Vim {
  /** The user of the cloud on whose behalf they are made. */
  readonly uid: number;
  /** The virtual networks that connection points are in, by their type. */
  readonly networks: readonly { readonly type: 'internal' | 'external' | 'management'; readonly id: number }[];
}

/** A Gatekeeper that nobody can log in to, and that knows nothing. */
export const UNFURNISHED: GatekeeperFurnishing = {
  users: [],
  functions: [],
  services: [],
  packages: [],
  instances: [],
  serviceInstances: [],
  vim: { uid: 0, networks: [] },
};

export interface GatekeeperUser {
  readonly username: string;
  readonly password: string;
  readonly types: readonly ('admin' | 'developer' | 'customer')[];
}

/** What the catalogue keeps: a descriptor in an envelope. */
export interface CatalogueElement {
  /** Version 4, in lower case. */
  readonly uuid: string;
  /** Who uploaded it. */
  readonly username: string | null;
  readonly status: 'active' | 'inactive' | 'delete';
  /** 32 lower-case hexadecimal digits. */
  readonly md5: string;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The VNFD, NSD or package descriptor as uploaded, YAML turned into JSON. */
  readonly descriptor: Descriptor;
}

/** The trio is unique among the elements of a kind. */
export interface Descriptor extends JsonObject {
  vendor: string;
  name: string;
  version: string;
}

/** A vnfr: an instance of a function. */
export interface FunctionInstance {
  readonly uuid: string;
  /** The function that it is an instance of. */
  readonly functionUuid: string;
  readonly createdAt: number;
  readonly vdus: readonly {
    readonly id: string;
    readonly vnfcs: readonly {
      /** Its number within the VDU. */
      readonly id: string;
      /** UUID of the machine: the label `id` of its metrics. */
      readonly vcId: string;
      /** The virtual machine in the cloud. */
      readonly vmId: number;
    }[];
  }[];
}

/** An nsr: an instance of a service. */
export interface ServiceInstance {
  readonly uuid: string;
  /** The service that it is an instance of. */
  readonly serviceUuid: string;
  readonly createdAt: number;
  /** The function instances that it consists of. */
  readonly functionInstances: readonly string[];
}
