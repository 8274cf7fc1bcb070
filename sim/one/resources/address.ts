/** IPv4, IPv6 and MAC addresses as numbers and as text. Mirrors the conversions of `AddressRange.cc` of OpenNebula 6.10. */

/** An IPv6 address: eight groups of 16 bits. */
export type Ip6 = readonly number[];

const WORD = 0x1_0000_0000;

/** @returns an unsigned 32-bit number; `undefined` for what is not `a.b.c.d` */
export function parseIp(text: string): number | undefined {
  if (!/^\d{1,10}(\.\d{1,10}){3}$/.test(text)) return undefined;
  let ip = 0;
  for (const part of text.split('.')) {
    const byte = Number(part);
    if (byte > 255) return undefined;
    ip = ip * 256 + byte;
  }
  return ip;
}

export function formatIp(ip: number): string {
  return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
}

/** The n-th address after the first, within 32 bits. */
export function addIp(ip: number, offset: number): number {
  return (ip + offset) % WORD;
}

/** @returns an unsigned 48-bit number */
export function parseMac(text: string): number | undefined {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) return undefined;
  let mac = 0;
  let byte = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) {
      mac = (mac + byte) * 256;
      byte = 0;
    } else byte = byte * 16 + (code <= NINE ? code & 15 : (code & 15) + 9);
  }
  return mac + byte;
}

const NINE = 0x39;
const COLON = 0x3a;

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function formatMac(mac: number): string {
  const high = Math.floor(mac / WORD);
  const low = mac % WORD;
  return [high >>> 8, high & 255, low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255]
    .map((byte) => BYTES[byte])
    .join(':');
}

/** The n-th address after the first. Only the lower 32 bits count on; the two bytes in front are a prefix. */
export function addMac(mac: number, offset: number): number {
  return mac - (mac % WORD) + (((mac % WORD) + offset) % WORD);
}

/** How far the address is from the first one of the same prefix; `undefined` when it comes before it or has another. */
export function macOffset(first: number, mac: number): number | undefined {
  const offset = mac - first;
  return offset >= 0 && Math.floor(mac / WORD) === Math.floor(first / WORD) ? offset : undefined;
}

export function parseIp6(text: string): Ip6 | undefined {
  const [head, tail, ...more] = text.split('::');
  if (head === undefined || more.length > 0) return undefined;
  const before = parseGroups(head, tail === undefined);
  const after = tail === undefined ? [] : parseGroups(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

/** Groups between colons. The last two may be written as an IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      const ip = last && index === parts.length - 1 ? parseIp(part) : undefined;
      if (ip === undefined) return undefined;
      groups.push(ip >>> 16, ip & 0xffff);
    }
  }
  return groups;
}

/** Text as `inet_ntop` writes it: the longest run of two or more zero groups becomes `::`. */
export function formatIp6(ip: Ip6): string {
  let start = -1;
  let length = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && ip[to] === 0) to++;
    if (to - from > length) {
      start = from;
      length = to - from;
    }
    if (to > from) from = to;
  }
  const colons = (groups: Ip6) => groups.map((group) => group.toString(16)).join(':');
  if (start < 0) return colons(ip);
  if (start === 0 && (length === 6 || (length === 5 && ip[5] === 0xffff))) {
    const ip4 = formatIp((ip[6] ?? 0) * 0x1_0000 + (ip[7] ?? 0));
    return length === 6 ? `::${ip4}` : `::ffff:${ip4}`;
  }
  return `${colons(ip.slice(0, start))}::${colons(ip.slice(start + length))}`;
}

/** The n-th address after the first. Each half of the host part counts by itself, as in oned. */
export function addIp6(ip: Ip6, offset: number): Ip6 {
  const high = addIp((ip[4] ?? 0) * 0x1_0000 + (ip[5] ?? 0), Math.floor(offset / WORD));
  const low = addIp((ip[6] ?? 0) * 0x1_0000 + (ip[7] ?? 0), offset % WORD);
  return [...ip.slice(0, 4), high >>> 16, high & 0xffff, low >>> 16, low & 0xffff];
}

/** How far the address is from the first one with the same upper 96 bits. */
export function ip6Offset(first: Ip6, ip: Ip6): number | undefined {
  if (first.slice(0, 6).some((group, index) => group !== ip[index])) return undefined;
  const low = (address: Ip6) => (address[6] ?? 0) * 0x1_0000 + (address[7] ?? 0);
  const offset = low(ip) - low(first);
  return offset >= 0 ? offset : undefined;
}

/** The address that a host with this MAC gives itself under a prefix of 64 bits: modified EUI-64. */
export function slaac(prefix: Ip6, mac: number): Ip6 {
  const high = Math.floor(mac / WORD);
  const low = mac % WORD;
  return [...prefix.slice(0, 4), high ^ 0x0200, (low >>> 24) * 256 + 0xff, 0xfe00 + ((low >>> 16) & 255), low & 0xffff];
}
