/** `outcomes.md`: for each route what may come of it, upstream and in profile `contract`, and which recording shows it. */
import { checkExchange } from './conformance.ts';
import type { Contract, Operation } from './contract.ts';
import type { Deviation } from './deviations.ts';
import type { Recording } from './recordings.ts';

/** A line of the table of a route. */
interface Outcome {
  readonly what: string;
  readonly upstream: string;
  readonly contract: string;
  readonly shownBy: readonly string[];
}

const HEAD = `# Outcomes

What each route answers: as the real server does it (profile \`upstream\`), and as its contract says (profile \`contract\`;
in brackets the row of \`deviations/\` that makes the difference). The last column names recordings of the real server, which
the tests replay, or the source of a row that none shows. Made from the contracts, the rows and the recordings:
\`npx vitest run contracts/outcomes.test.ts -u\` writes it anew.
`;

const COLUMNS = ['outcome', 'upstream', 'profile `contract`', 'shown by'];

export function outcomesMarkdown(contracts: readonly Contract[], recordings: readonly Recording[]): string {
  const sections = contracts
    .filter(({ deviations }) => deviations.length > 0)
    .flatMap((contract) => [
      `## ${contract.file}\n`,
      ...operationsOf(contract).map((operation) => {
        const rows = outcomesOf(contracts, contract, operation, recordings).map(cellsOf);
        return `### ${headingOf(operation)}\n\n${tableOf([COLUMNS, ...rows])}`;
      }),
    ]);
  return [HEAD, ...sections].join('\n');
}

/** One under each name, however many base paths it has. */
function operationsOf({ operations, unmatched }: Contract): readonly Operation[] {
  return [...new Map([...operations, unmatched].map((operation) => [operation.id, operation])).values()];
}

const headingOf = ({ id, method, path }: Operation): string =>
  path === '' ? `any other route: ${id}` : `${method} ${path}: ${id}`;

function outcomesOf(
  contracts: readonly Contract[],
  contract: Contract,
  operation: Operation,
  recordings: readonly Recording[],
): Outcome[] {
  const rows = contract.deviations.filter(({ operations }) => operations.includes(operation.id));
  const on = new Set(contract.deviations.map(({ id }) => id));
  /** By all that tells them apart. */
  const recorded = new Map<string, { outcome: Outcome; names: Set<string>; status: number; rows: Deviation[] }>();
  for (const { name, exchange } of recordings) {
    const verdict = checkExchange(contracts, exchange, on);
    // What is against the contract even so was refused by a web server, below the engine.
    if (verdict.operation?.id !== operation.id || verdict.violations.length > 0) continue;
    const concerned = rows.filter(({ id, evidence }) => id === verdict.deviation || shows(evidence, name));
    const { status } = exchange;
    const outcome = {
      what: titleOf(status, exchange.body),
      upstream: `${status} ${exchange.headers.get('Content-Type') ?? ''}`,
      contract: concerned.length === 0 ? 'the same' : concerned.map(statement).join(' '),
      shownBy: [],
    };
    const key = JSON.stringify(outcome);
    const known = recorded.get(key) ?? { outcome, names: new Set(), status, rows: concerned };
    recorded.set(key, known);
    known.names.add(name);
  }
  const seen = [...recorded.values()].sort((a, b) => a.status - b.status);
  const documented = [...operation.answers.keys()].filter(
    (status) => !seen.some((each) => each.status === status && each.rows.every((row) => keeps(row, status))),
  );
  const unseen = rows.filter(({ id }) => !seen.some((each) => each.rows.some((row) => row.id === id)));
  return [
    ...seen.map(({ outcome, names }) => ({ ...outcome, shownBy: [...names] })),
    ...unseen.map((row) => ({
      what: row.id,
      upstream: row.upstream,
      contract: statement(row),
      shownBy: row.evidence.map((each) => ('recording' in each ? each.recording : each.source)),
    })),
    ...(documented.length === 0
      ? []
      : [{ what: 'documented', upstream: 'not recorded', contract: documented.join(', '), shownBy: [] }]),
  ];
}

/** Whether a row leaves the status of an answer as the contract has it. */
const keeps = ({ effect }: Deviation, status: number): boolean =>
  effect.accepts.every((each) => 'like' in each && each.like === status);

const shows = (evidence: Deviation['evidence'], name: string): boolean =>
  evidence.some((each) => 'recording' in each && each.recording === name);

const statement = ({ id, contract }: Deviation): string => `${contract} (\`${id}\`)`;

/** The title of an error without what varies in it, or what else the body is. */
function titleOf(status: number, body: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return body === '' ? 'no body' : 'a page';
  }
  if (status < 400) return 'success';
  if (typeof value !== 'object' || value === null || !('error' in value)) return body;
  return `${value.error}`
    .replaceAll(/\d+/g, '…')
    .replaceAll(/\b(?:FAAS|DAAS)\b/g, '…')
    .replace(/(?<=flavours: ).*/s, '…');
}

const MOST_NAMES = 4;

function cellsOf({ what, upstream, contract, shownBy }: Outcome): string[] {
  const names = shownBy.slice(0, MOST_NAMES).join(', ');
  const more = shownBy.length - MOST_NAMES;
  return [what, upstream.trim(), contract, more > 0 ? `${names} and ${more} more` : names];
}

/** Padded, as the formatter has it. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')));
  const widths = COLUMNS.map((_, n) => Math.max(...cells.map((row) => row[n]?.length ?? 0)));
  const [head = '', ...lines] = cells.map((row) => lineOf(row.map((cell, n) => cell.padEnd(widths[n] ?? 0))));
  return [head, lineOf(widths.map((width) => '-'.repeat(width))), ...lines].join('');
}

const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
