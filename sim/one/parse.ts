/** Template text that a client sends, with oned's refusal when it cannot be read. */
import { type ErrorCode, OneError } from './error.ts';
import { Template } from './syntax/syntax.ts';
import { SyntaxProblem } from './syntax/syntax-problem.ts';

/**
 * @param code the error code that the calling method answers with: most say INTERNAL, some ACTION
 * @param before what the calling method writes before the parser's text
 */
export function parseTemplate(text: string, code: ErrorCode, before = ''): Template {
  try {
    return Template.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    throw new OneError(code, before + error.refusal);
  }
}
