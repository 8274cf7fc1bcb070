/** The ports on which hosts offer the VMs' screens: GRAPHICS/PORT. Mirrors VNC_PORTS of oned.conf and `VNCBitMap` of OpenNebula 6.10. */
import type { Cloud } from '../cloud.ts';
import { currentPlacement } from './placement.ts';
import type { Vm } from './vm.ts';

/** START of oned.conf, and the first of the RESERVED ones. */
const FIRST = 5900;
const END = 32_768;

/** Gives a VM that is being deployed a port of its own in its cluster: 5900 and its id, or the next one that is free. */
export function takePort(cloud: Cloud, vm: Vm): void {
  const graphics = vm.template.vector('GRAPHICS');
  if (graphics === undefined || graphics.get('PORT')) return;
  const ports = portsOf(cloud, vm);
  if (ports === undefined || ports.size >= END - FIRST) return;
  let port = FIRST + (vm.id % (END - FIRST));
  while (ports.has(port)) port = port + 1 < END ? port + 1 : FIRST;
  ports.set(port, vm.id);
  vm.template.set('GRAPHICS', new Map([...graphics, ['PORT', String(port)]]));
}

/** A port that was given in the template stays. */
export function releasePort(cloud: Cloud, vm: Vm): void {
  const graphics = vm.template.vector('GRAPHICS');
  const port = Number(graphics?.get('PORT'));
  const ports = portsOf(cloud, vm);
  if (graphics === undefined || ports?.get(port) !== vm.id) return;
  ports.delete(port);
  vm.template.set('GRAPHICS', new Map([...graphics].filter(([name]) => name !== 'PORT')));
}

const portsOf = (cloud: Cloud, vm: Vm): Map<number, number> | undefined =>
  cloud.clusters.find(currentPlacement(vm)?.clusterId ?? -1)?.ports;
