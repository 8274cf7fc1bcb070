/** A source file with everything blanked that is not code: what a rule about code is matched against. */

/** After these, a slash opens a regular expression; after anything else it divides. */
const BEFORE_REGEX =
  /(?:^|[=(,:;!&|?{}[+\-*%<>~^]|\b(?:return|typeof|case|of|in|do|else|throw|await|yield|default))\s*$/;

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;

const spaces = (text: string): string => text.replace(/[^\n]/g, ' ');

/**
 * The text with comments, the contents of strings, templates and regular expressions turned into spaces: every
 * character stays at its offset, every line at its number. What a template inserts is code, and stays.
 */
export function codeOf(text: string): string {
  let code = '';
  /** For each template we are inside of: how many braces are open in what it inserts. */
  const templates: number[] = [];
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = code.length;
    return pattern.exec(text)?.[0];
  };
  const hollow = (token: string): string => token.slice(0, 1) + spaces(token.slice(1, -1)) + token.slice(-1);
  /** From a backtick, or from the brace that closes an insertion, up to the next insertion or the end. */
  const template = (char: string): void => {
    code += char;
    const rest = take(TEMPLATE_TEXT) ?? '';
    const close = rest.endsWith('${') ? 2 : 1;
    if (close === 2) templates.push(0);
    code += spaces(rest.slice(0, -close)) + rest.slice(-close);
  };

  while (code.length < text.length) {
    const char = text.charAt(code.length);
    const open = templates.at(-1);
    const comment = take(COMMENT);
    const string = take(STRING);
    const regex = char === '/' && BEFORE_REGEX.test(code.slice(-40)) ? take(REGEX) : undefined;
    if (comment !== undefined) code += spaces(comment);
    else if (string !== undefined) code += hollow(string);
    else if (regex !== undefined) code += hollow(regex);
    else if (char === '`') template(char);
    else if (char === '}' && open === 0) {
      templates.pop();
      template(char);
    } else {
      if (open !== undefined && char === '{') templates[templates.length - 1] = open + 1;
      if (open !== undefined && char === '}') templates[templates.length - 1] = open - 1;
      code += char;
    }
  }
  return code;
}

/** The number of the line, from 1, in which an offset lies. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
