/** Text in a page. */
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

export interface Cell {
  readonly text: string;
  readonly kind?: string;
  /** From 0 to 1: how strongly it is coloured. */
  readonly heat?: number;
  readonly title?: string;
}

/** A table with a head on top and on the left. */
export function table(
  head: readonly string[],
  rows: readonly (readonly [string, readonly Cell[]])[],
  kind: string,
): string {
  const top = head.map((each) => `<th scope="col"><span>${escaped(each)}</span></th>`).join('');
  const body = rows.map(
    ([name, cells]) =>
      `<tr><th scope="row">${escaped(name).replaceAll('_', '_<wbr>')}</th>${cells.map(cell).join('')}</tr>`,
  );
  return `<div class="scroll"><table class="${kind}"><thead><tr>${top}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function cell({ text, kind = '', heat, title }: Cell): string {
  const style = heat === undefined ? '' : ` style="--heat:${heat.toFixed(2)}"`;
  const hint = title === undefined ? '' : ` title="${escaped(title)}"`;
  return `<td class="${kind}"${style}${hint}>${escaped(text)}</td>`;
}
