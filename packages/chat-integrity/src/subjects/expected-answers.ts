import { deriveAnswerId } from '@chatdoc/schema';
import { Links } from './links.js';

/** An id has the time of what it derives from: so many characters of it. */
const TIME_LENGTH = 10;

/**
 * Answers that prompts in the document wait for. The id of an answer costs a hash, which is spent only on prompts of
 * a millisecond in which somebody asks.
 */
export class ExpectedAnswers {
  readonly #prompts = new Links();
  readonly #answers = new Map<string, Map<string, string>>();

  /** Adds or removes a prompt. Returns the answer that is expected, or not expected any more, if anyone asked. */
  set(prompt: string, isThere: boolean): string | undefined {
    const time = timeOf(prompt);
    if (isThere) this.#prompts.move(prompt, undefined, time);
    else this.#prompts.move(prompt, time, undefined);
    const answers = this.#answers.get(time);
    if (answers === undefined) return undefined;
    const answer = deriveAnswerId(prompt);
    if (isThere) answers.set(answer, prompt);
    else answers.delete(answer);
    return answer;
  }

  /** Whether a prompt in the document waits for this answer. */
  has(answer: string): boolean {
    const time = timeOf(answer);
    let answers = this.#answers.get(time);
    if (answers === undefined) {
      answers = new Map();
      for (const prompt of this.#prompts.of(time)) answers.set(deriveAnswerId(prompt), prompt);
      this.#answers.set(time, answers);
    }
    return answers.has(answer);
  }
}

function timeOf(id: string): string {
  return id.slice(0, TIME_LENGTH);
}
