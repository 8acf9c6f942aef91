import type { Random } from './random.js';

const ONSETS = [
  'b',
  'br',
  'c',
  'ch',
  'd',
  'f',
  'g',
  'gr',
  'l',
  'm',
  'n',
  'p',
  'pr',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ea', 'ou', 'io'];
const CODAS = ['', '', 'n', 'r', 's', 't', 'l', 'nd', 'ck', 'ng'];
const VOCABULARY = 3_000;
/** Outside Latin-1, and scattered: what an English text has of it. */
const RARE = ['🙂', '→', '“so”', '—', '✓', 'λ', '👍', '≤', '…', '漢字'];

/** Text that reads and compresses about like chat: words by Zipf's law, punctuation, quotes, newlines, code. */
export class Prose {
  readonly #random: Random;
  readonly #words: readonly string[];

  constructor(random: Random) {
    this.#random = random;
    const words = new Set<string>();
    while (words.size < VOCABULARY) {
      let word = '';
      for (let syllables = 1 + random.below(3); syllables > 0; syllables -= 1) {
        word += random.pick(ONSETS) + random.pick(VOWELS) + random.pick(CODAS);
      }
      words.add(word);
    }
    this.#words = [...words].sort((a, b) => a.length - b.length);
  }

  /** Exactly that many ASCII characters. */
  ascii(length: number): string {
    const random = this.#random;
    const pieces: string[] = [];
    let written = 0;
    let sentence = 0;
    while (written < length) {
      const piece = this.#word(sentence === 0);
      sentence += 1;
      let after = ' ';
      if (sentence > 4 && random.chance(0.12)) {
        after = random.chance(0.15) ? '.\n\n' : random.pick(['. ', '. ', '? ', '! ']);
        sentence = 0;
      } else if (random.chance(0.06)) {
        after = ', ';
      }
      pieces.push(piece, after);
      written += piece.length + after.length;
    }
    return pieces.join('').slice(0, length);
  }

  /** A body of a message: log-normal length, median 207 and mean about 275; in 1 of 20 rare characters. */
  body(): string {
    const random = this.#random;
    const length = Math.min(20_000, Math.max(2, Math.round(207 * Math.exp(0.754 * random.gauss()))));
    const text = this.ascii(length);
    if (!random.chance(0.05)) return text;
    const words = text.split(' ');
    for (let count = 1 + random.below(4); count > 0; count -= 1) {
      words.splice(random.below(words.length + 1), 0, random.pick(RARE));
    }
    return words.join(' ');
  }

  #word(first: boolean): string {
    const random = this.#random;
    const word = this.#words[Math.floor(VOCABULARY ** random.number()) - 1] ?? 'a';
    if (first) return word.charAt(0).toUpperCase() + word.slice(1);
    if (random.chance(0.01)) return `\`${word}("${random.below(1_000)}")\``;
    return random.chance(0.01) ? `"${word}"` : word;
  }
}
