/** Answers of range queries, and how far two of them agree. */

export interface Row {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** The answer of a server that has Prometheus' HTTP API. */
export async function rangeOf(
  origin: string,
  query: string,
  range: { readonly start: number; readonly end: number; readonly step: number },
): Promise<readonly Row[]> {
  const parameters = { query, ...Object.fromEntries(Object.entries(range).map(([name, value]) => [name, `${value}`])) };
  const answer = await fetch(`${origin}/api/v1/query_range`, { method: 'POST', body: new URLSearchParams(parameters) });
  const { data, error } = (await answer.json()) as { data?: { result: Row[] }; error?: string };
  if (data === undefined) throw new Error(`${origin} refused ${query}: ${error}`);
  return data.result;
}

/** What two matrices differ in, the first few of it; nothing when they agree. */
export function differences(ours: readonly Row[], theirs: readonly Row[]): string[] {
  const found: string[] = [];
  const own = new Map(ours.map((row) => [nameOf(row), row]));
  for (const row of theirs) {
    const name = nameOf(row);
    const same = own.get(name);
    own.delete(name);
    if (same === undefined) found.push(`${name}: only Prometheus has it`);
    else found.push(...pointDifferences(name, same, row));
  }
  for (const name of own.keys()) found.push(`${name}: Prometheus does not have it`);
  return found.slice(0, MOST_SHOWN);
}

export const pointsOf = (rows: readonly Row[]): number => rows.reduce((sum, { values }) => sum + values.length, 0);

const MOST_SHOWN = 5;

/** Sums in another order differ in their last digits. */
const TOLERANCE = 1e-9;

const nameOf = ({ metric }: Row): string =>
  Object.entries(metric)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');

function pointDifferences(name: string, ours: Row, theirs: Row): string[] {
  const own = new Map(ours.values);
  const found: string[] = [];
  for (const [at, value] of theirs.values) {
    const mine = own.get(at);
    own.delete(at);
    if (mine === undefined || !isNear(Number(mine), Number(value))) {
      found.push(`${name} at ${at}: ${mine ?? 'nothing'}, where Prometheus has ${value}`);
    }
  }
  for (const [at, value] of own) found.push(`${name} at ${at}: ${value}, where Prometheus has nothing`);
  return found;
}

function isNear(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b), 1);
}
