/** The schema of a fault in the document of onesim's own API: written from the table that checks faults, never by hand. */
import { Document, isCollection, isPair, type Node } from 'yaml';
import { FAULT_SCHEMA } from '../sim/index.ts';

/** The block of `components.schemas` that is made. */
const BLOCK = /^ {4}FaultSpec:\n(?: {5,}.*\n|\n)*/m;

const INDENT = 4;
const WIDTH = 112;

/** The schema as a file of its own, for editors; short lists on a line, as the formatter has them. */
export const faultSchemaFile = (): string =>
  `${JSON.stringify(FAULT_SCHEMA, null, 2).replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (list, items: string) => {
    const line = `[${items.replace(/\n\s+/g, ' ')}]`;
    return line.length < WIDTH - 16 ? line : list;
  })}\n`;

/** The document with the schema as it is now. */
export const withFaultSchema = (text: string): string => text.replace(BLOCK, () => block());

function block(): string {
  const { $schema: _, title: __, ...schema } = JSON.parse(JSON.stringify(FAULT_SCHEMA));
  share(schema, ['trigger', 'budget']);
  const document = new Document({ FaultSpec: schema });
  fold(document.contents, INDENT);
  const lines = document.toString({ lineWidth: WIDTH, flowCollectionPadding: true }).trimEnd().split('\n');
  return `${lines.map((line) => `${' '.repeat(INDENT)}${line}`).join('\n')}\n`;
}

/** Parts that are the same in every layer are written once. */
function share(schema: Readonly<Record<string, unknown>>, parts: readonly string[]): void {
  const layers = schema.oneOf as readonly { readonly properties: Record<string, unknown> }[];
  for (const part of parts) for (const layer of layers) layer.properties[part] = layers[0]?.properties[part];
}

/** What fits into a line is written on one. */
function fold(node: Node | null, indent: number): void {
  if (!isCollection(node)) return;
  node.flow = JSON.stringify(node.toJSON()).length + indent < WIDTH - INDENT;
  if (node.flow) return;
  for (const item of node.items) fold((isPair(item) ? item.value : item) as Node | null, indent + 2);
}
