/** A text that oned cannot parse. The message is the parser's; it is empty where oned's parser gives up without one. */
export class SyntaxProblem extends Error {
  /** The sentence oned answers with. */
  get refusal(): string {
    return this.message === '' ? 'Parse error.' : `Parse error: ${this.message}`;
  }
}
