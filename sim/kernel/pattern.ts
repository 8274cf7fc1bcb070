/** A text with stars in it, as those write it who select by name: `*` stands for any text, none included. */
import { remembered } from './remembered.ts';

/** A longer pattern fits nothing but itself: nobody writes one who means it. */
export const LONGEST_PATTERN = 1000;

/** What stands before, between and behind the stars; what is empty between two says nothing. */
const partsOf = remembered((pattern) => {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  const middle = rest.filter((part) => part !== '');
  return { first, middle, last, least: [first, ...middle, last].join('').length };
});

/** Whether a text fits a pattern. */
export function fits(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  if (pattern.length > LONGEST_PATTERN || !pattern.includes('*')) return false;
  const { first, middle, last, least } = partsOf(pattern);
  if (text.length < least || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of middle) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
