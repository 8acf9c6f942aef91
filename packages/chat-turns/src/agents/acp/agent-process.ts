import { type ChildProcess, spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import type { Timers } from '@chatdoc/schema';
import { AgentError } from '../agent.js';

export interface AgentCommand {
  readonly command: string;
  readonly args?: readonly string[];
  /** Working directory of the process and of its session. Defaults to that of this process. */
  readonly cwd?: string;
  /** The whole environment of the process. Defaults to that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Between closing its input, SIGTERM and SIGKILL, ms each. */
const PATIENCE_MS = 500;
/** Characters of standard error that are kept, the last ones. */
const MAX_STDERR = 4_096;
const STDERR_LINES = 8;

/** A child process that speaks over its standard streams, and all that it starts in its process group. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #timers: Timers;
  /** Resolves when the process has ended, with the reason if it could not be started. */
  readonly ended: Promise<AgentError | undefined>;
  #isEnded = false;
  #stderr = '';

  constructor({ command, args = [], cwd, env }: AgentCommand, timers: Timers) {
    this.#timers = timers;
    // A group of its own: what an agent leaves running must end with it.
    const detached = process.platform !== 'win32';
    this.#child = spawn(command, args, {
      stdio: 'pipe',
      detached,
      ...(cwd && { cwd }),
      ...(env && { env: { ...env } }),
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#isEnded = this.#child.pid === undefined;
        if (this.#isEnded) resolve(new AgentError('acp_spawn', 'the agent could not be started', error));
      });
      // Not `close`: what it has started may hold its streams open for as long as it likes.
      this.#child.once('exit', () => {
        this.#isEnded = true;
        resolve(undefined);
      });
    });
    // A write to a process that is gone: the connection hears of its end by itself.
    this.#child.stdin?.on('error', () => undefined);
  }

  get input(): WritableStream<Uint8Array> {
    return Writable.toWeb(this.#child.stdin as Writable) as WritableStream<Uint8Array>;
  }

  get output(): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.#child.stdout as Readable) as ReadableStream<Uint8Array>;
  }

  /** The last lines that it wrote to standard error, without colors. */
  get lastWords(): string {
    const lines = this.#stderr.split(/\r?\n/).map((line) => line.replace(CONTROLS, '').trim());
    return lines
      .filter((line) => line !== '')
      .slice(-STDERR_LINES)
      .join('\n');
  }

  /** Ends it and its group, politely first. Resolves when the process is gone. */
  async end(): Promise<void> {
    this.#child.stdin?.destroy();
    if (!this.#isEnded) await this.#waitAWhile();
    // Also where it has ended by itself: its group may not have.
    const isLeft = this.#signal('SIGTERM');
    if (isLeft) await this.#waitAWhile(true);
    this.kill();
    await this.ended;
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  /** False where nothing of the group is left. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child;
    if (pid === undefined) return false;
    try {
      if (process.platform === 'win32') return this.#isEnded ? false : this.#child.kill(signal);
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  }

  /** Until it has ended, or its whole group has, but not for long. */
  async #waitAWhile(isForGroup = false): Promise<void> {
    const steps = 10;
    for (let step = 0; step < steps; step += 1) {
      if (isForGroup ? !this.#signal(0) : this.#isEnded) return;
      let timer: unknown;
      const pause = new Promise<void>((resolve) => {
        timer = this.#timers.setTimer(resolve, PATIENCE_MS / steps);
      });
      await (this.#isEnded ? pause : Promise.race([this.ended, pause]));
      this.#timers.clearTimer(timer);
    }
  }
}

/** Escape sequences of terminals, and other characters that are not text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const CONTROLS = /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g;
