/**
 * Variables in the text of a CONTEXT: `$NAME`, `$USER[SSH_PUBLIC_KEY]`, `$NETWORK[DNS, NETWORK="private"]`. Mirrors the
 * scanner and grammar `vm_var_parser.l` and `vm_var_syntax.y` of OpenNebula 6.10, with their messages.
 */
import { remembered } from '../../kernel/remembered.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { diskAttributes } from './disk.ts';
import { nicAttributes } from './nic.ts';
import type { Vm } from './vm.ts';

type Token = '$end' | 'EQUAL' | 'COMMA' | 'OBRACKET' | 'CBRACKET' | 'EOA' | 'STRING' | 'VARIABLE' | 'RSTRING';

interface Scanned {
  readonly token: Token;
  readonly text: string;
}

/** Plain text up to the next variable. A `\$` is none, and stays as it is. */
const PLAIN = /(?:[^$\\]|\\[\s\S])+/y;

/** Inside a variable, in the order of the scanner's rules; of two that match the longer one wins. */
const INSIDE: readonly (readonly [RegExp, Token])[] = [
  [/[ \t]*=[ \t]*/y, 'EQUAL'],
  [/[ \t]*,[ \t]*/y, 'COMMA'],
  [/\[[ \t]*/y, 'OBRACKET'],
  [/[ \t]*\]/y, 'CBRACKET'],
  [/[A-Za-z0-9_]+/y, 'VARIABLE'],
  // Another variable follows at once.
  [/\$/y, 'EOA'],
  [/./y, 'EOA'],
];
const VALUE = /"([^"]*)"|([A-Za-z0-9]+)/y;

class Scanner {
  readonly #text: string;
  #at = 0;
  #mode: 'plain' | 'inside' | 'value' = 'plain';
  #first = 1;
  #last = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the last token stands, as oned counts columns. */
  get columns(): string {
    return `${this.#first}:${this.#last}`;
  }

  get line(): number {
    return this.#text.slice(0, this.#at).split('\n').length;
  }

  next(): Scanned {
    for (;;) {
      if (this.#at >= this.#text.length) {
        if (this.#mode === 'plain') return { token: '$end', text: '' };
        this.#mode = 'plain';
        return { token: 'EOA', text: '' };
      }
      const scanned = this.#scan();
      if (scanned !== undefined) return scanned;
    }
  }

  #scan(): Scanned | undefined {
    if (this.#mode === 'plain') {
      const plain = this.#match(PLAIN);
      if (plain !== undefined) return { token: 'RSTRING', text: plain[0] };
      // A backslash at the very end matches no rule, and is lost.
      if (this.#skip() === '$') this.#mode = 'inside';
      return undefined;
    }
    if (this.#mode === 'value') {
      const value = this.#match(VALUE);
      if (value === undefined) {
        this.#skip();
        return undefined;
      }
      this.#mode = 'inside';
      return { token: 'STRING', text: value[1] ?? value[2] ?? '' };
    }
    const [token, text] = this.#longest();
    if (token === undefined) {
      // A line end matches no rule, and is lost.
      this.#skip();
      return undefined;
    }
    this.#advance(text.length);
    if (token === 'EQUAL') this.#mode = 'value';
    if (token !== 'EOA') return { token, text };
    if (text === '$') return { token, text: '' };
    this.#mode = 'plain';
    return { token, text };
  }

  #longest(): [Token | undefined, string] {
    let best: [Token | undefined, string] = [undefined, ''];
    for (const [pattern, token] of INSIDE) {
      pattern.lastIndex = this.#at;
      const text = pattern.exec(this.#text)?.[0] ?? '';
      if (text.length > best[1].length) best = [token, text];
    }
    return best;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.#advance(match[0].length);
    return match;
  }

  #skip(): string {
    const char = this.#text.charAt(this.#at);
    this.#advance(1);
    return char;
  }

  #advance(length: number): void {
    this.#at += length;
    this.#first = this.#last;
    this.#last += length;
  }
}

/** A piece of a text: plain, a variable `$NAME`, or an attribute of a vector, `$NAME[ATTRIBUTE, KEY="value"]`. */
type Piece =
  | string
  | { readonly name: string }
  | { readonly name: string; readonly attribute: string; readonly where: Where };

/**
 * The text with the values of its variables. What is not known is empty.
 * @throws OneError INTERNAL for a `$` that no variable follows
 */
export function substitute(cloud: Cloud, vm: Vm, text: string): string {
  let result = '';
  for (const piece of piecesOf(text)) {
    if (typeof piece === 'string') result += piece;
    else if (!('attribute' in piece)) result += single(cloud, vm, piece.name);
    else result += vector(cloud, vm, piece.name, piece.attribute, piece.where);
  }
  return result;
}

/** VMs from one template have the same text. */
const piecesOf = remembered((text): readonly Piece[] => (/[$\\]/.test(text) ? parsePieces(text) : [text]));

function parsePieces(text: string): Piece[] {
  const scanner = new Scanner(text);
  const pieces: Piece[] = [];
  const expect = (...wanted: Token[]): Scanned => {
    const scanned = scanner.next();
    if (wanted.includes(scanned.token)) return scanned;
    const expected = ORDER.filter((token) => wanted.includes(token)).join(' or ');
    const where = `at line ${scanner.line}, columns ${scanner.columns}`;
    const why = `syntax error, unexpected ${scanned.token}, expecting ${expected} ${where}`;
    throw new OneError('INTERNAL', `Error parsing: ${text}. ${why}`);
  };
  for (let first = true; ; first = false) {
    const { token, text: piece } = expect('RSTRING', 'VARIABLE', ...(first ? [] : (['$end'] as const)));
    if (token === '$end') return pieces;
    if (token === 'RSTRING') {
      pieces.push(piece);
      continue;
    }
    const name = piece.toUpperCase();
    let after = expect('OBRACKET', 'EOA');
    if (after.token === 'EOA') {
      pieces.push({ name });
    } else {
      const attribute = expect('VARIABLE').text.toUpperCase();
      let where: Where;
      if (expect('COMMA', 'CBRACKET').token === 'COMMA') {
        const key = expect('VARIABLE').text.toUpperCase();
        expect('EQUAL');
        where = [key, expect('STRING').text];
        expect('CBRACKET');
      }
      after = expect('EOA');
      pieces.push({ name, attribute, where });
    }
    pieces.push(after.text);
  }
}

/** The order in which the grammar's messages name what they expect. */
const ORDER: readonly Token[] = [
  '$end',
  'EQUAL',
  'COMMA',
  'OBRACKET',
  'CBRACKET',
  'EOA',
  'STRING',
  'VARIABLE',
  'RSTRING',
];

function single(cloud: Cloud, vm: Vm, name: string): string {
  return FIELDS.get(name)?.(vm, cloud) ?? (vm.template.get(name) || vm.userTemplate.get(name) || '');
}

const FIELDS: ReadonlyMap<string, (vm: Vm, cloud: Cloud) => string> = new Map([
  ['UID', (vm: Vm) => String(vm.uid)],
  ['UNAME', (vm: Vm, cloud: Cloud) => cloud.users.find(vm.uid)?.name ?? ''],
  ['GID', (vm: Vm) => String(vm.gid)],
  ['GNAME', (vm: Vm, cloud: Cloud) => cloud.groups.find(vm.gid)?.name ?? ''],
  ['NAME', (vm: Vm) => vm.name],
  ['VMID', (vm: Vm) => String(vm.id)],
  ['CPU', (vm: Vm) => String(vm.cpu)],
  ['VCPU', (vm: Vm) => String(vm.vcpu ?? '')],
  ['MEMORY', (vm: Vm) => String(vm.memoryMiB)],
]);

type Where = readonly [name: string, value: string] | undefined;

/** An attribute of the first vector of that name, or of the one with a given attribute. */
function vector(cloud: Cloud, vm: Vm, name: string, attribute: string, where: Where): string {
  switch (name) {
    case 'USER':
      return cloud.users.find(vm.uid)?.template.get(attribute) ?? '';
    case 'NETWORK':
      return networkAttribute(cloud, vm, attribute, where);
    case 'IMAGE':
      return imageAttribute(cloud, vm, attribute, where);
    default:
      return pick(vectorsOf(cloud, vm, name), where)?.get(attribute) ?? '';
  }
}

function vectorsOf(cloud: Cloud, vm: Vm, name: string): ReadonlyMap<string, string>[] {
  switch (name) {
    case 'DISK':
      return vm.disks.map((disk) => new Map(diskAttributes(cloud, vm, disk)));
    case 'NIC':
    case 'NIC_ALIAS':
      return nicsOf(vm, name).map((nic) => new Map(nicAttributes(cloud, vm, nic)));
    default:
      return vm.template.vectors(name);
  }
}

const nicsOf = (vm: Vm, name: string) => vm.nics.filter((nic) => (nic.alias === null) === (name === 'NIC'));

function pick(vectors: readonly ReadonlyMap<string, string>[], where: Where): ReadonlyMap<string, string> | undefined {
  return where === undefined ? vectors[0] : vectors.find((each) => (each.get(where[0]) ?? '') === where[1]);
}

/** An attribute of a network that the VM has a NIC in, by that network or NIC. */
function networkAttribute(cloud: Cloud, vm: Vm, attribute: string, where: Where): string {
  if (where === undefined || !['NETWORK', 'NETWORK_ID', 'NIC_ID'].includes(where[0])) return '';
  const nic = vm.nics.find((each) => new Map(nicAttributes(cloud, vm, each)).get(where[0]) === where[1]);
  const vnet = nic?.networkId == null ? undefined : cloud.vnets.find(nic.networkId);
  const range = vnet?.ranges.find(({ id }) => id === nic?.arId);
  return range?.attributes.get(attribute) || vnet?.template.get(attribute) || '';
}

/** An attribute of an image that is one of the VM's disks. */
function imageAttribute(cloud: Cloud, vm: Vm, attribute: string, where: Where): string {
  if (where === undefined || !['IMAGE', 'IMAGE_ID'].includes(where[0])) return '';
  const disk = vm.disks.find((each) => new Map(diskAttributes(cloud, vm, each)).get(where[0]) === where[1]);
  const image = disk?.imageId == null ? undefined : cloud.images.find(disk.imageId);
  return image?.template.get(attribute) ?? '';
}
