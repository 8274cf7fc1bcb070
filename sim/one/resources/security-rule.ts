/** A rule of a security group, and why oned refuses one. Mirrors `SecurityGroup::is_valid` of OpenNebula 6.10. */
import type { Vector } from '../syntax/syntax.ts';
import { parseIp, parseIp6 } from './address.ts';

const PROTOCOLS: ReadonlySet<string> = new Set(['TCP', 'UDP', 'ICMP', 'ICMPV6', 'IPSEC', 'ALL']);
const PORT_PROTOCOLS: ReadonlySet<string> = new Set(['TCP', 'UDP']);
const HIGHEST_PORT = 65_535;
const MOST_PORTS = 15;

const isNatural = (text: string): boolean => /^\s*\+?\d{1,10}$/.test(text);

export function ruleProblem(rule: Vector): string | undefined {
  const value = (name: string): string => rule.get(name) ?? '';
  const protocol = value('PROTOCOL').toUpperCase();
  if (!PROTOCOLS.has(protocol)) {
    return 'Wrong PROTOCOL in rule. Valid options: TCP, UDP, ICMP, ICMPV6, IPSEC, ALL.';
  }
  const range = value('RANGE');
  if (range !== '' && !PORT_PROTOCOLS.has(protocol)) return 'RANGE is supported only for TCP and UDP protocols.';
  const problem = range === '' ? undefined : rangeProblem(range);
  if (problem !== undefined) return problem;
  for (const kind of ['ICMP', 'ICMPV6']) {
    const name = `${kind}_TYPE`;
    if (value(name) === '') continue;
    if (protocol !== kind) return `${name} is supported only for ${kind} protocol.`;
    if (!isNatural(value(name))) return `Wrong ${name}, it must be integer`;
  }
  const direction = value('RULE_TYPE').toUpperCase();
  if (direction !== 'INBOUND' && direction !== 'OUTBOUND') {
    return 'Wrong RULE_TYPE in rule. Valid options: INBOUND, OUTBOUND.';
  }
  const ip = value('IP');
  if (ip === '')
    return rule.has('NETWORK_ID') && !/^\s*[-+]?\d{1,10}$/.test(value('NETWORK_ID')) ? 'Wrong NETWORK_ID.' : undefined;
  if (!isNatural(value('SIZE'))) return 'Wrong or empty SIZE.';
  return parseIp6(ip) === undefined && parseIp(ip) === undefined ? 'Wrong format for IP value.' : undefined;
}

/** A list of ports and of ranges of ports. */
function rangeProblem(text: string): string | undefined {
  if (!/^((\d+|\d+:\d+),)*(\d+|\d+:\d+)$/.test(text)) return 'Invalid RANGE specification.';
  let ports = 0;
  for (const part of text.split(',')) {
    const [first = 0, last = first] = part.split(':').map(Number);
    if (last > HIGHEST_PORT) return 'RANGE out of bounds 0-65536.';
    if (last < first) return 'RANGE BEGIN value is greater than RANGE END value';
    ports += part.includes(':') ? 2 : 1;
    if (ports > MOST_PORTS) return 'Not more than 15 ports can be specified in a RULE';
  }
  return undefined;
}
