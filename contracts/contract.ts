/** The OpenAPI documents in this folder, dereferenced once, and the operation behind a method and a path. */
import { readFile } from 'node:fs/promises';
import SwaggerParser from '@apidevtools/swagger-parser';
import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { type Deviation, loadDeviations } from './deviations.ts';

/** A JSON schema in OpenAPI 3.0's dialect. */
export type Schema = Readonly<Record<string, unknown>>;

/** One documented answer of an operation. */
export interface Answer {
  /** By name; required unless it says otherwise. */
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: Schema }>>;
  /** By media type; absent when the answer has no body. */
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly pattern?: string };
}

interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Answer['content'] };
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface Operation {
  readonly id: string;
  /** In capitals; empty for the operation behind unknown paths. */
  readonly method: string;
  /** With the server's base path, such as `/api/v2/functions/{uuid}`. */
  readonly path: string;
  /** For each segment of the path: the literal it must be, or what its parameter may be. */
  readonly segments: readonly (string | RegExp)[];
  /** Schema of a JSON body, where a body is required. */
  readonly requestSchema: Schema | undefined;
  /** By status. */
  readonly answers: ReadonlyMap<number, Answer>;
  /** Where it stands in the document. */
  readonly at: readonly string[];
}

export interface Contract {
  /** Such as `engine.yaml`. */
  readonly file: string;
  readonly operations: readonly Operation[];
  /** Those with one method and so many segments, by both. */
  readonly routes: ReadonlyMap<string, readonly Operation[]>;
  /** What answers every other method and path under {@link owns}. */
  readonly unmatched: Operation;
  readonly owns: readonly string[];
  readonly trailingSlash: boolean;
  readonly deviations: readonly Deviation[];
  /** Line of a part of the document, or of the nearest part around it. */
  lineOf(at: readonly string[]): number;
}

interface DocumentObject {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly 'x-owns': readonly string[];
  readonly 'x-unmatched': OperationObject;
  readonly 'x-trailing-slash'?: boolean;
}

const CONTRACTS = [
  { file: 'engine.yaml', deviations: 'engine-1.3.3.yaml' },
  { file: 'gatekeeper.yaml', deviations: 'gatekeeper-3.1.yaml' },
  { file: 'monitoring.yaml', deviations: undefined },
  { file: 'prometheus.yaml', deviations: undefined },
  { file: 'control.yaml', deviations: undefined },
] as const;

/** OpenNebula's own protocols: recordings define them, no document does. */
const OPENNEBULA = ['/RPC2', '/service', '/service_template', '/service_pool'];

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

let loaded: Promise<readonly Contract[]> | undefined;

/** Every contract with its deviations; read once a process. */
export function loadContracts(): Promise<readonly Contract[]> {
  loaded ??= Promise.all(CONTRACTS.map(({ file, deviations }) => load(file, deviations)));
  return loaded;
}

async function load(file: string, deviations: string | undefined): Promise<Contract> {
  const text = await readFile(new URL(`../contracts/${file}`, import.meta.url), 'utf8');
  const contract = await parseContract(file, text);
  return deviations === undefined ? contract : { ...contract, deviations: await loadDeviations(deviations, contract) };
}

/** A contract, without deviations, from an OpenAPI document in YAML. No reference is followed out of it. */
export async function parseContract(file: string, text: string): Promise<Contract> {
  const lines = new LineCounter();
  const source = parseDocument(text, { merge: true, lineCounter: lines });
  const [error] = source.errors;
  if (error !== undefined) throw new Error(`${file}: ${error.message}`);
  const document = (await SwaggerParser.dereference(source.toJS(), {
    resolve: { external: false },
  })) as unknown as DocumentObject;

  const operations: Operation[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      if (!(method in item)) continue;
      const shared = (item.parameters ?? []) as readonly Parameter[];
      const own = item[method] as OperationObject;
      const merged = { ...own, parameters: [...shared, ...(own.parameters ?? [])] };
      for (const { url } of document.servers) {
        const whole = `${url.replace(/\/$/, '')}${path}`;
        operations.push(operation(method.toUpperCase(), whole, merged, ['paths', path, method]));
      }
    }
  }
  return {
    file,
    operations,
    routes: routesOf(operations),
    unmatched: operation('', '', document['x-unmatched'], ['x-unmatched']),
    owns: document['x-owns'],
    trailingSlash: document['x-trailing-slash'] ?? false,
    deviations: [],
    lineOf(at) {
      for (let depth = at.length; depth > 0; depth--) {
        const parent = source.getIn(at.slice(0, depth - 1), true);
        const pair = isMap(parent) && parent.items.find(({ key }) => `${key}` === at[depth - 1]);
        if (pair && isNode(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
      }
      return 1;
    },
  };
}

function operation(method: string, path: string, object: OperationObject, at: readonly string[]): Operation {
  const { operationId, parameters = [], requestBody, responses } = object;
  return {
    id: operationId,
    method,
    path,
    segments: segmentsOf(path).map((segment) => {
      const name = /^\{(.+)\}$/.exec(segment)?.[1];
      if (name === undefined) return segment;
      return new RegExp(parameters.find((each) => each.in === 'path' && each.name === name)?.schema.pattern ?? '', 'u');
    }),
    requestSchema: requestBody?.required ? requestBody.content?.['application/json']?.schema : undefined,
    answers: new Map(Object.entries(responses).map(([status, answer]) => [Number(status), answer])),
    at,
  };
}

/** An operation, and the contract that documents it. */
interface Match {
  readonly contract: Contract;
  readonly operation: Operation;
}

/**
 * The operation that answers a request: of those whose path fits, the one with the most literal segments; else the one
 * for unknown paths of the contract that owns the path. `undefined` for the protocols that no contract describes. HEAD
 * is answered wherever GET is.
 */
export function operationFor(contracts: readonly Contract[], method: string, target: string): Match | undefined {
  // An encoded slash separates segments too: the real servers decode the path before they look for a route.
  const path = target.replace(/[?#].*$/s, '').replace(/%2f/gi, '/');
  const sought = method === 'HEAD' ? 'GET' : method;
  const whole = segmentsOf(path);
  const open = whole.length > 1 && whole.at(-1) === '' ? whole.slice(0, -1) : whole;
  let best: Match | undefined;
  let literals = -1;
  for (const contract of contracts) {
    const parts = contract.trailingSlash ? open : whole;
    for (const operation of contract.routes.get(shapeOf(sought, parts)) ?? []) {
      if (!fits(operation.segments, parts)) continue;
      const rank = operation.segments.filter((part) => typeof part === 'string').length;
      if (rank > literals) [best, literals] = [{ contract, operation }, rank];
    }
  }
  if (best !== undefined) return best;
  const owner = ownerOf(contracts, path);
  return owner && { contract: owner, operation: owner.unmatched };
}

const shapeOf = (method: string, segments: readonly unknown[]): string => `${method} ${segments.length}`;

function routesOf(operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const routes = new Map<string, Operation[]>();
  for (const each of operations) {
    const shape = shapeOf(each.method, each.segments);
    routes.set(shape, [...(routes.get(shape) ?? []), each]);
  }
  return routes;
}

function fits(segments: Operation['segments'], parts: readonly string[]): boolean {
  return segments.every((expected, n) => {
    const part = parts[n] ?? '';
    return typeof expected === 'string' ? expected === part : part !== '' && expected.test(decoded(part));
  });
}

function ownerOf(contracts: readonly Contract[], path: string): Contract | undefined {
  const claims = contracts.flatMap((contract) => contract.owns.map((prefix) => ({ contract, prefix })));
  const [nearest] = [...claims, ...OPENNEBULA.map((prefix) => ({ contract: undefined, prefix }))]
    .filter(({ prefix }) => prefix === '/' || path === prefix || path.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return nearest?.contract;
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
