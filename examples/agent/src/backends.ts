import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromBackend, ToBackend, View } from './wire.js';

const PROGRAM = fileURLToPath(new URL('backend.ts', import.meta.url));
const WAIT_MS = 600_000;

/** One backend, as the parent sees it. */
export class Backend {
  readonly name: string;
  readonly #child: ChildProcess;
  view: View = { question: '', state: 'idle', text: '', finish_reason: null, runner: null, digest: '' };
  #onView: () => void = () => undefined;

  constructor(name: string, path: string, onMessage: (from: Backend, message: FromBackend) => void) {
    this.name = name;
    // The first to come answers; the others leave it the time to claim.
    const claimDelay = name === 'one' ? '0' : '1000';
    this.#child = fork(PROGRAM, [name, path, claimDelay], {
      execArgv: ['--conditions=@chatdoc/source', '--import', 'tsx'],
      // Bytes stay bytes.
      serialization: 'advanced',
    });
    this.#child.on('message', (message: FromBackend) => {
      if (message.type === 'view') {
        this.view = message;
        this.#onView();
      }
      onMessage(this, message);
    });
  }

  send(message: ToBackend): void {
    if (this.#child.connected) this.#child.send(message);
  }

  /** Resolves when the backend shows what is waited for. */
  until(what: string, shows: (view: View) => boolean): Promise<View> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.name} never showed: ${what}; it shows ${JSON.stringify(this.view)}`)),
        WAIT_MS,
      );
      this.#onView = () => {
        if (!shows(this.view)) return;
        clearTimeout(timer);
        this.#onView = () => undefined;
        resolve(this.view);
      };
      this.#onView();
    });
  }

  /** kill -9: it can write and say nothing more. */
  kill(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }
}

/** Backends at one document file. Who is alive they hear through this process. */
export class Backends {
  readonly #path: string;
  readonly #running = new Set<Backend>();

  constructor(path: string) {
    this.#path = path;
  }

  start(name: string): Promise<Backend> {
    return new Promise((resolve) => {
      const backend = new Backend(name, this.#path, (from, message) => {
        if (message.type === 'ready') {
          for (const each of this.#running) each.send({ type: 'tell' });
          resolve(from);
        } else if (message.type !== 'view') {
          for (const other of this.#running) if (other !== from) other.send(message);
        }
      });
      this.#running.add(backend);
    });
  }

  async kill(backend: Backend): Promise<void> {
    this.#running.delete(backend);
    await backend.kill();
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running].map((backend) => this.kill(backend)));
  }
}
