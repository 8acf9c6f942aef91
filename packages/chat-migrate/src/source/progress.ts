/** Called with how far a plan is: bytes of the file, each counted as its rows pass through the stages of planning. */
export type OnProgress = (done_bytes: number, total_bytes: number) => void;

/** Bytes of input between two calls at the most, unless one row is longer. */
const STEP = 512 * 1024;
/** Reading, making entries, and putting them in order: each passes over the whole file. */
const STAGES = 3;

export class Progress {
  readonly #total: number;
  readonly #onProgress: OnProgress | undefined;
  #stage = 0;
  #next = STEP;
  #done = 0;

  constructor(total: number, onProgress: OnProgress | undefined) {
    this.#total = total;
    this.#onProgress = onProgress;
  }

  /** Records how many bytes of the file this stage has passed. Called for every row. */
  advance(bytes: number): void {
    if (bytes < this.#next) return;
    this.#next = bytes + STEP;
    this.#report(Math.min(bytes, this.#total));
  }

  endStage(): void {
    this.#report(this.#total);
    this.#stage += 1;
    this.#next = STEP;
  }

  #report(bytes: number): void {
    const done = Math.floor((this.#stage * this.#total + bytes) / STAGES);
    // Rows are not always taken up in the order of the file.
    if (this.#onProgress === undefined || done <= this.#done) return;
    this.#done = done;
    this.#onProgress(done, this.#total);
  }
}
