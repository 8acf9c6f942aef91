import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Order, Role, Told, View } from './wire.js';

export interface Member {
  readonly name: string;
  readonly role: Role;
  readonly args: readonly string[];
}

/** Processes that are killed and started again, and what they have told. */
export class Fleet {
  readonly #programs: string;
  readonly #running = new Map<Member, ChildProcess>();
  readonly #views = new Map<Member, View>();
  /** What was ordered last: also those that come back are to do it. */
  readonly #standing = new Map<Role, Order>();
  /** By clientID of a lane, the clock up to which its writer was told `saved`. */
  readonly saved = new Map<number, number>();
  readonly kills: Record<Role, number> = { hub: 0, backend: 0, viewer: 0 };
  readonly refusals: string[] = [];
  readonly broken: string[] = [];
  confirmed = 0;
  #isEnding = false;

  constructor(programs: string) {
    this.#programs = programs;
  }

  /** Resolves when it says that it is there. */
  start(member: Member): Promise<void> {
    const program = join(this.#programs, `${member.role}.mjs`);
    // Without the flags of this process.
    const stdio: ['ignore', 'ignore', 'pipe', 'ipc'] = ['ignore', 'ignore', 'pipe', 'ipc'];
    const child = fork(program, [...member.args], { execArgv: [], stdio });
    let errors = '';
    child.stderr?.on('data', (data: Buffer) => {
      errors += data.toString();
    });
    this.#running.set(member, child);
    return new Promise((resolve) => {
      child.on('message', (told: Told) => {
        if (told.type !== 'ready') return this.#hear(member, told);
        const order = this.#standing.get(member.role);
        if (order !== undefined) child.send(order);
        resolve();
      });
      child.once('exit', (code, signal) => {
        resolve();
        if (this.#running.get(member) !== child) return;
        this.#forget(member);
        if (this.#isEnding) return;
        // Of its own accord: it was told to take a fresh copy, or is broken.
        if (code === 0) void this.start(member);
        else this.broken.push(`${member.name} ended with ${code ?? signal}: ${errors}`);
      });
    });
  }

  /** kill -9, of all at once: they can write and say nothing more. Gives those that were there. */
  async kill(members: readonly Member[]): Promise<readonly Member[]> {
    const victims = members.filter((member) => this.#running.has(member));
    const ends = victims.map((member) => {
      const child = this.#running.get(member) as ChildProcess;
      this.kills[member.role] += 1;
      this.#forget(member);
      return ended(child, () => child.kill('SIGKILL'));
    });
    await Promise.all(ends);
    return victims;
  }

  order(role: Role, order: Order): void {
    this.#standing.set(role, order);
    this.#send(role, order);
  }

  /** What all who have a replica show, asked now. Those that do not answer in time are left out. */
  async look(): Promise<readonly View[]> {
    this.#views.clear();
    this.#send('backend', { type: 'look' });
    this.#send('viewer', { type: 'look' });
    const asked = [...this.#running.keys()].filter(({ role }) => role !== 'hub').length;
    for (let waited = 0; waited < 50 && this.#views.size < asked; waited += 1) await sleep(20);
    return [...this.#views.values()];
  }

  /** Ends all: the clients first, the hub as one who stops a server does. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const role of ['viewer', 'backend'] as const) {
      for (const [member, child] of [...this.#running]) {
        if (member.role === role) await ended(child, () => child.kill('SIGKILL'));
      }
    }
    for (const [{ role }, child] of [...this.#running]) {
      if (role === 'hub') await ended(child, () => child.send({ type: 'close' }));
    }
  }

  #send(role: Role, order: Order): void {
    for (const [member, child] of this.#running) {
      if (member.role === role && child.connected) child.send(order);
    }
  }

  #forget(member: Member): void {
    this.#running.delete(member);
    this.#views.delete(member);
  }

  #hear(member: Member, told: Told): void {
    if (told.type === 'view') this.#views.set(member, told);
    else if (told.type === 'refused') this.refusals.push(`${member.role} ${told.code}`);
    else if (told.type === 'broken') this.broken.push(told.law);
    else if (told.type === 'saved') {
      this.confirmed += told.writes;
      for (const [client, clock] of Object.entries(told.clocks)) {
        this.saved.set(Number(client), Math.max(clock, this.saved.get(Number(client)) ?? 0));
      }
    }
  }
}

function ended(child: ChildProcess, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    end();
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Below those that the system gives to clients: one that looks for a hub that is down must not become it. */
export async function findPort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port += 1) {
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
