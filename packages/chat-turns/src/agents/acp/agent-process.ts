import { type ChildProcess, spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import type { Timers } from '@chatdoc/schema';
import { AgentError } from '../agent.js';

export interface AgentCommand {
  readonly command: string;
  readonly args?: readonly string[];
  /** Working directory of the process and of its session; that of this process unless given. */
  readonly cwd?: string;
  /** The whole environment of the process; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Between closing its input, SIGTERM and SIGKILL, ms each. */
const PATIENCE_MS = 500;

/** A child process that speaks over its standard streams, and whatever it starts. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #timers: Timers;
  /** Resolves when the process has ended, with why it could not be started, if so. */
  readonly ended: Promise<AgentError | undefined>;
  #isEnded = false;

  constructor({ command, args = [], cwd, env }: AgentCommand, timers: Timers) {
    this.#timers = timers;
    // A group of its own: what an agent leaves running must end with it.
    const detached = process.platform !== 'win32';
    const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
    this.#child = spawn(command, args, {
      stdio,
      detached,
      ...(cwd && { cwd }),
      ...(env && { env: { ...env } }),
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#isEnded = this.#child.pid === undefined;
        if (this.#isEnded) resolve(new AgentError('acp_spawn', 'the agent could not be started', error));
      });
      this.#child.once('close', () => {
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

  /** Ends it, politely first. Resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#child.stdin?.destroy();
    await this.#waitAWhile();
    if (!this.#isEnded) this.#signal('SIGTERM');
    await this.#waitAWhile();
    if (!this.#isEnded) this.kill();
    await this.ended;
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // Gone already.
    }
  }

  async #waitAWhile(): Promise<void> {
    if (this.#isEnded) return;
    let timer: unknown;
    const pause = new Promise<void>((resolve) => {
      timer = this.#timers.setTimer(resolve, PATIENCE_MS);
    });
    await Promise.race([this.ended, pause]);
    this.#timers.clearTimer(timer);
  }
}
