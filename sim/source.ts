/**
 * A YAML or JSON text that a person wrote, with the place of every value in it, so that a mistake is named with file,
 * line and column. What is read here is plain JSON: aliases are resolved, and bombs made of them are refused.
 */
import type { Document, LineCounter, Node } from 'yaml';
import type { Path } from './kernel/form.ts';
import { Problem } from './problem.ts';

export interface Source {
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of a value; of the nearest thing around it where there is none. */
  place(path: Path): string;
  /** `file:line:column` of a key itself. */
  placeOfKey(path: Path): string;
}

/** More aliases than any honest file has. */
const MAX_ALIASES = 1000;
const MAX_DEPTH = 100;
const MAX_CHARS = 16 * 1024 * 1024;

/** @throws Problem */
export async function readSource(text: string, file: string): Promise<Source> {
  if (text.length > MAX_CHARS) throw new Problem(`${file}: larger than ${MAX_CHARS} characters`);
  const { parseDocument, LineCounter } = await import('yaml');
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
    const [first] = document.errors;
    if (first !== undefined) throw new Problem(`${place(first.pos[0])}: ${sentence(first.message)}`);
    await checkAliases(document, place);
    return { file, value: plain(document, file), ...(await placesOf(document, lines, file)) };
  } catch (error) {
    // What is deeper than the parser's stack is far deeper than we take.
    if (error instanceof RangeError) throw tooDeep(file);
    throw error;
  }
}

/** @throws Problem when there are too many, or one of something that is not there */
async function checkAliases(document: Document, place: (offset: number) => string): Promise<void> {
  const { visit } = await import('yaml');
  let count = 0;
  visit(document, {
    Alias(_key, alias) {
      const at = place(alias.range?.[0] ?? 0);
      if (++count > MAX_ALIASES) throw new Problem(`${at}: more than ${MAX_ALIASES} aliases`);
      if (alias.resolve(document) === undefined) throw new Problem(`${at}: there is no anchor &${alias.source}`);
    },
  });
}

const tooDeep = (file: string): Problem => new Problem(`${file}: nested deeper than ${MAX_DEPTH} levels`);

/** The parser's messages may be several lines long. */
const sentence = (message: string): string => message.split('\n', 1)[0] ?? '';

function plain(document: Document, file: string): unknown {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (error instanceof ReferenceError) throw new Problem(`${file}: ${sentence(error.message)}`);
    throw error;
  }
  if (!isShallow(value, MAX_DEPTH)) throw tooDeep(file);
  return value;
}

/** Ends at the first branch that is too deep: an alias of something around it has no end. */
function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

async function placesOf(
  document: Document,
  lines: LineCounter,
  file: string,
): Promise<Pick<Source, 'place' | 'placeOfKey'>> {
  const { isAlias, isMap, isScalar, isSeq } = await import('yaml');

  /** The nodes along a path, as far as it goes: each with its key's node where it has one. */
  const walk = (path: Path): { readonly key: Node | null; readonly node: Node | null }[] => {
    const trail: { key: Node | null; node: Node | null }[] = [{ key: null, node: document.contents }];
    for (const step of path) {
      let node = trail.at(-1)?.node ?? null;
      if (isAlias(node)) node = node.resolve(document) ?? null;
      if (isMap<Node, Node | null>(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
        if (pair === undefined) break;
        trail.push({ key: pair.key, node: pair.value });
      } else if (isSeq<Node>(node)) {
        const item = node.items[Number(step)];
        if (item === undefined) break;
        trail.push({ key: null, node: item });
      } else break;
    }
    return trail;
  };

  const at = (candidates: readonly (Node | null | undefined)[]): string => {
    const offset = candidates.find((node) => node?.range)?.range?.[0] ?? 0;
    const { line, col } = lines.linePos(offset);
    return `${file}:${line || 1}:${col || 1}`;
  };

  return {
    place: (path) =>
      at(
        walk(path)
          .reverse()
          .flatMap(({ key, node }) => [node, key]),
      ),
    placeOfKey: (path) =>
      at(
        walk(path)
          .reverse()
          .flatMap(({ key, node }) => [key, node]),
      ),
  };
}
