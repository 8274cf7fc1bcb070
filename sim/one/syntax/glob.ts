// Shell patterns: *, ?, [a-z], [!a-z], [[:digit:]] and \ before a character that stands for itself. Mirrors fnmatch(3)
// without flags, so that a star matches a slash and a leading dot as well; collating symbols, [.a.] and [=a=], are not
// known.

type Place = '*' | ((character: string) => boolean);

/** Whether a text fits the pattern; takes at most the product of their lengths. */
export function glob(pattern: string): (text: string) => boolean {
  const places = parse(pattern);
  return (text) => {
    const characters = Array.from(text);
    let place = 0;
    let star = -1;
    let resume = 0;
    for (let at = 0; at < characters.length; ) {
      const wanted = places[place];
      if (wanted === '*') {
        star = place++;
        resume = at;
      } else if (wanted?.(characters[at] ?? '')) {
        place++;
        at++;
      } else if (star >= 0) {
        // Only the last star has to give way: it can take over whatever an earlier one would.
        place = star + 1;
        at = ++resume;
      } else return false;
    }
    while (places[place] === '*') place++;
    return place === places.length;
  };
}

function parse(pattern: string): Place[] {
  const characters = Array.from(pattern);
  const places: Place[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const bracket = character === '[' ? parseBracket(characters, at) : undefined;
    if (bracket !== undefined) {
      places.push(bracket.place);
      at = bracket.end;
    } else if (character === '*') {
      if (places.at(-1) !== '*') places.push('*');
    } else if (character === '?') places.push(() => true);
    else if (character === '\\') {
      at++;
      const escaped = characters[at];
      // A backslash at the end has nothing to stand for, and matches nothing.
      places.push((other) => other === escaped);
    } else places.push((other) => other === character);
  }
  return places;
}

const CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /^[A-Za-z0-9]$/],
  ['alpha', /^[A-Za-z]$/],
  ['blank', /^[ \t]$/],
  ['cntrl', /^\p{Cc}$/u],
  ['digit', /^[0-9]$/],
  ['graph', /^[!-~]$/],
  ['lower', /^[a-z]$/],
  ['print', /^[ -~]$/],
  ['punct', /^[!-/:-@[-`{-~]$/],
  ['space', /^[ \t\n\v\f\r]$/],
  ['upper', /^[A-Z]$/],
  ['xdigit', /^[0-9A-Fa-f]$/],
]);

/** A bracket without its end is no bracket but a character. */
function parseBracket(characters: readonly string[], start: number): { place: Place; end: number } | undefined {
  let at = start + 1;
  const negated = characters[at] === '!' || characters[at] === '^';
  if (negated) at++;
  let isValid = true;
  const members: ((character: string) => boolean)[] = [];
  for (let first = true; first || characters[at] !== ']'; first = false) {
    const end = characters[at] === '[' && characters[at + 1] === ':' ? characters.indexOf(']', at) : at;
    const name = /^\[:([a-z]+):$/.exec(characters.slice(at, Math.max(at, end)).join(''))?.[1];
    if (name !== undefined) {
      const known = CLASSES.get(name);
      members.push((character) => known?.test(character) === true);
      // A class that there is not spoils its bracket, also a negated one.
      isValid &&= known !== undefined;
      at = end + 1;
      continue;
    }
    const from = take();
    if (from === undefined) return undefined;
    if (characters[at] !== '-' || characters[at + 1] === ']' || characters[at + 1] === undefined) {
      members.push((character) => character === from);
      continue;
    }
    at++;
    const to = take();
    if (to === undefined) return undefined;
    members.push((character) => character >= from && character <= to);
  }
  return { place: (character) => isValid && members.some((fits) => fits(character)) !== negated, end: at };

  function take(): string | undefined {
    if (characters[at] === '\\') at++;
    return characters[at++];
  }
}
