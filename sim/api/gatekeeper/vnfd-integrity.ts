/** What must hold within a VNFD besides its form. Mirrors the integrity and topology checks of `son-validate`. */
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';

/** A package is refused for either. */
export interface Flaws {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** @param vnfd of the form that the schema demands */
export function flawsOf(vnfd: JsonObject): Flaws {
  const points = pointsOf(vnfd);
  const units = objectsOf(vnfd.virtual_deployment_units);
  const links = objectsOf(vnfd.virtual_links);
  const declared = new Set([...points, ...units.flatMap((unit) => pointsOf(unit).map((id) => `${unit.id}:${id}`))]);
  const connecting = links.filter(({ connectivity_type }) => connectivity_type !== 'E-Tree');
  const used = new Set(connecting.flatMap(referencesOf));
  return {
    errors: [
      ...(points.length === 0 ? ['the function has no connection points'] : []),
      ...twiceIn(points).map((id) => `connection point ${quoted(id)} is there twice`),
      ...units.flatMap(flawsOfUnit),
      ...(connecting.length === 0 ? ['no virtual link connects anything'] : []),
      ...twiceIn(links.map(({ id }) => String(id))).map((id) => `virtual link ${quoted(id)} is there twice`),
      ...connecting.flatMap((link) => flawsOfLink(link, declared)),
    ],
    warnings: points.filter((id) => !used.has(id)).map((id) => `connection point ${quoted(id)} is in no virtual link`),
  };
}

function flawsOfUnit(unit: JsonObject): string[] {
  const points = pointsOf(unit);
  const name = `VDU ${quoted(String(unit.id))}`;
  return [
    ...(unit.vm_image === undefined ? [`${name} has no vm_image`] : []),
    ...(points.length === 0 ? [`${name} has no connection points`] : []),
    ...twiceIn(points).map((id) => `${name} has connection point ${quoted(id)} twice`),
  ];
}

function flawsOfLink(link: JsonObject, declared: ReadonlySet<string>): string[] {
  const references = referencesOf(link);
  const name = `virtual link ${quoted(String(link.id))}`;
  const { connectivity_type: type } = link;
  return [
    ...(type === 'E-Line' && references.length !== 2 ? [`${name} is an E-Line and has not two references`] : []),
    ...(type === 'E-LAN' && references.length === 0 ? [`${name} is an E-LAN and has no references`] : []),
    ...references.flatMap((reference) => {
      if (reference.split(':').length > 2) return [`${name} has reference ${quoted(reference)} with two colons`];
      return declared.has(reference) ? [] : [`${name} refers to ${quoted(reference)}, which is not declared`];
    }),
  ];
}

const objectsOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

const pointsOf = (of: JsonObject): string[] => objectsOf(of.connection_points).map(({ id }) => String(id));

const referencesOf = ({ connection_points_reference: given }: JsonObject): string[] =>
  Array.isArray(given) ? given.map(String) : [];

function twiceIn(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const id of ids) (seen.has(id) ? twice : seen).add(id);
  return [...twice];
}

const quoted = (id: string): string => JSON.stringify(id.slice(0, 100));
