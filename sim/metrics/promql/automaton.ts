/**
 * A nondeterministic automaton: a pattern as a program whose every way is followed at once, so that a text is read once
 * from its begin to its end, whatever the pattern. Mirrors the construction of Thompson, as RE2 uses it.
 */

/** Why a pattern is none; the message is Go's. */
export class PatternError extends Error {
  constructor(message: string) {
    super(`error parsing regexp: ${message}`);
  }
}

/** First and last code point of each stretch of characters that match. */
export type Ranges = readonly (readonly [number, number])[];

export type Node =
  | { readonly is: 'characters'; readonly ranges: Ranges }
  | { readonly is: 'edge'; readonly edge: Edge }
  | { readonly is: 'sequence'; readonly parts: readonly Node[] }
  | { readonly is: 'either'; readonly choices: readonly Node[] }
  | { readonly is: 'repeat'; readonly of: Node; readonly least: number; readonly most: number };

/** Places between two characters. */
export type Edge = 'begin' | 'end' | 'line-begin' | 'line-end' | 'word' | 'no-word';

export type Step =
  | { readonly do: 'take'; readonly ranges: Ranges }
  | { readonly do: 'assert'; readonly edge: Edge }
  | { readonly do: 'fork'; readonly first: number; second: number }
  | { readonly do: 'jump'; to: number }
  | { readonly do: 'accept' };

const MOST_STEPS = 20_000;

export const WORD: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];

/** @throws PatternError when it would be too large */
export function compiled(node: Node): readonly Step[] {
  const program = new Program();
  program.add(node);
  program.steps.push({ do: 'accept' });
  return program.steps;
}

class Program {
  readonly steps: Step[] = [];
  /** Nodes added; what is empty makes no step, and can be repeated as often. */
  #added = 0;

  add(node: Node): void {
    if (++this.#added > MOST_STEPS) throw new PatternError('expression too large');
    switch (node.is) {
      case 'characters':
        this.steps.push({ do: 'take', ranges: node.ranges });
        return;
      case 'edge':
        this.steps.push({ do: 'assert', edge: node.edge });
        return;
      case 'sequence':
        for (const part of node.parts) this.add(part);
        return;
      case 'either':
        this.#either(node.choices);
        return;
      case 'repeat':
        this.#repeat(node);
        return;
      default:
        node satisfies never;
    }
  }

  #either(choices: readonly Node[]): void {
    const ends: { to: number }[] = [];
    for (const [i, choice] of choices.entries()) {
      if (i === choices.length - 1) {
        this.add(choice);
        break;
      }
      const fork = this.#fork();
      this.add(choice);
      const end = { do: 'jump' as const, to: -1 };
      this.steps.push(end);
      ends.push(end);
      fork.second = this.steps.length;
    }
    for (const end of ends) end.to = this.steps.length;
  }

  #repeat({ of, least, most }: Extract<Node, { is: 'repeat' }>): void {
    for (let i = 0; i < least; i++) this.add(of);
    if (most === Number.POSITIVE_INFINITY) {
      const start = this.steps.length;
      const fork = this.#fork();
      this.add(of);
      this.steps.push({ do: 'jump', to: start });
      fork.second = this.steps.length;
      return;
    }
    const forks: { second: number }[] = [];
    for (let i = least; i < most; i++) {
      forks.push(this.#fork());
      this.add(of);
    }
    for (const fork of forks) fork.second = this.steps.length;
  }

  /** Goes on here, and elsewhere too. */
  #fork(): { second: number } {
    const fork = { do: 'fork' as const, first: this.steps.length + 1, second: -1 };
    this.steps.push(fork);
    return fork;
  }
}

/** Follows all ways through the program at once, one character after the other. */
export function run(program: readonly Step[], text: readonly number[]): boolean {
  const seen = new Int32Array(program.length).fill(-1);
  let states: number[] = [];
  let accepts = false;
  const enter = (first: number, at: number, into: number[]): void => {
    const open = [first];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (seen[state] === at) continue;
      seen[state] = at;
      const step = program[state];
      if (step === undefined) continue;
      if (step.do === 'take') into.push(state);
      else if (step.do === 'jump') open.push(step.to);
      else if (step.do === 'fork') open.push(step.second, step.first);
      else if (step.do === 'accept') accepts ||= at === text.length;
      else if (holds(step.edge, text, at)) open.push(state + 1);
    }
  };
  enter(0, 0, states);
  for (const [at, code] of text.entries()) {
    const next: number[] = [];
    for (const state of states) {
      const step = program[state];
      if (step?.do === 'take' && step.ranges.some(([low, high]) => code >= low && code <= high))
        enter(state + 1, at + 1, next);
    }
    states = next;
    if (states.length === 0 && at + 1 < text.length) return false;
  }
  return accepts;
}

function holds(edge: Edge, text: readonly number[], at: number): boolean {
  switch (edge) {
    case 'begin':
      return at === 0;
    case 'end':
      return at === text.length;
    case 'line-begin':
      return at === 0 || text[at - 1] === 0x0a;
    case 'line-end':
      return at === text.length || text[at] === 0x0a;
    case 'word':
      return isWord(text[at - 1]) !== isWord(text[at]);
    default:
      return isWord(text[at - 1]) === isWord(text[at]);
  }
}

const isWord = (code: number | undefined): boolean =>
  code !== undefined && WORD.some(([low, high]) => code >= low && code <= high);
