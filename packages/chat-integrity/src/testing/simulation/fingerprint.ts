/** A running 64-bit hash over all that a run said, in order: equal for two runs that did the same. */
export class Fingerprint {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  addBytes(bytes: Uint8Array): void {
    let a = this.#a;
    for (let at = 0; at < bytes.length; at += 1) a = Math.imul(a ^ (bytes[at] as number), 0x01000193);
    this.#a = a;
    this.addNumber(bytes.length);
  }

  addNumber(number: number): void {
    this.#b = Math.imul(this.#b ^ (this.#a + number), 0x85ebca6b);
    this.#b ^= this.#b >>> 13;
  }

  addText(text: string): void {
    let a = this.#a;
    for (let at = 0; at < text.length; at += 1) a = Math.imul(a ^ text.charCodeAt(at), 0x01000193);
    this.#a = a;
    this.addNumber(text.length);
  }

  read(): string {
    const hex = (number: number): string => (number >>> 0).toString(16).padStart(8, '0');
    return hex(this.#a) + hex(this.#b);
  }
}
