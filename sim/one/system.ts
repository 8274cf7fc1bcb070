/** What oned says of itself: its version and settings. Mirrors `RequestManagerSystem.cc` and the shipped `oned.conf` of OpenNebula 6.10. */

import type { Caller } from './access/user.ts';
import type { Cloud } from './cloud.ts';
import { CDROM_PREFIX, DISK_PREFIX } from './resources/image.ts';
import { FROM_DATASTORE, FROM_IMAGE, FROM_NETWORK } from './resources/inheritance.ts';
import { type Attribute, Template } from './syntax/syntax.ts';

const ONED_VERSION = '6.10.5';

function version(_cloud: Cloud, _caller: Caller): string {
  return ONED_VERSION;
}

const single = (name: string, values: Iterable<string>): Attribute[] =>
  Array.from(values, (value) => ({ name, value }));

/** The settings that decide what this cloud does. Those of parts that it does not have are left out. */
const SETTINGS: readonly Attribute[] = [
  ...single('API_LIST_ORDER', ['DESC']),
  ...single('DATASTORE_LOCATION', ['/var/lib/one//datastores']),
  ...single('DEFAULT_CDROM_DEVICE_PREFIX', [CDROM_PREFIX]),
  ...single('DEFAULT_DEVICE_PREFIX', [DISK_PREFIX]),
  ...single('DEFAULT_IMAGE_TYPE', ['OS']),
  ...single('DEFAULT_UMASK', ['177']),
  ...single('ENABLE_OTHER_PERMISSIONS', ['YES']),
  // The targets come from the settings of the driver instead.
  ...single(
    'INHERIT_DATASTORE_ATTR',
    [...FROM_DATASTORE].filter((name) => !name.endsWith('_TARGET')),
  ),
  ...single('INHERIT_IMAGE_ATTR', FROM_IMAGE),
  ...single('INHERIT_VNET_ATTR', FROM_NETWORK),
  ...single('MAC_PREFIX', ['02:00']),
  ...single('NETWORK_SIZE', ['254']),
  ...single('VM_SUBMIT_ON_HOLD', ['NO']),
  { name: 'VNC_PORTS', value: new Map(Object.entries({ RESERVED: '32768:65536', START: '5900' })) },
];

function config(_cloud: Cloud, _caller: Caller): Template {
  return new Template(SETTINGS);
}

export const SYSTEM_OPERATIONS = { 'one.system.version': version, 'one.system.config': config } as const;
