import { RefMap } from '../index/ref-map.js';
import type { RefTable } from '../index/refs.js';

/** The order node of a message: its ref, and those of the messages that its author had seen. */
export interface OrderNode {
  readonly ref: number;
  /** An answer's derived id is not a stamp: it leads only where no target is there. */
  readonly answer: boolean;
  readonly targets: readonly number[];
}

/** Messages that may come before the columns of an order grow. */
const ROOM = 8;

/** The effect of putting a node: where it went in, or whether others may have moved. */
export type Put = { readonly at: number } | 'same' | 'moved';

/**
 * The messages of one thread by (eff, hops, id), on refs. A message that refers to nothing unseen is inserted in
 * O(log n); one that others waited for, or that comes again with other targets, has all keys recomputed.
 */
export class ThreadOrder {
  readonly #refs: RefTable;
  /** Messages by number, in the order in which they came. */
  readonly #nodes: OrderNode[];
  readonly #numbers: RefMap;
  /** By number, the ref of the greatest stamp among its own and those it refers to; -1 while it is not known. */
  #eff: Int32Array;
  /** By number, how far the message is from the one with that stamp. */
  #hops: Int32Array;
  /** Targets that are not there. */
  readonly #absent = new Set<number>();
  /** Numbers in order. */
  #sorted: number[] = [];
  #version = 0;

  /** Each message once. */
  constructor(refs: RefTable, nodes: readonly OrderNode[]) {
    this.#refs = refs;
    this.#nodes = nodes.slice();
    this.#numbers = new RefMap(nodes.length, refs.seed);
    this.#eff = new Int32Array(nodes.length + ROOM);
    this.#hops = new Int32Array(nodes.length + ROOM);
    for (let number = 0; number < nodes.length; number += 1) {
      this.#numbers.set((nodes[number] as OrderNode).ref, number);
    }
    this.#rebuild();
  }

  get size(): number {
    return this.#sorted.length;
  }

  /** Grows when messages may have changed places among each other. */
  get version(): number {
    return this.#version;
  }

  refAt(place: number): number | undefined {
    const number = this.#sorted[place];
    return number === undefined ? undefined : this.#refOf(number);
  }

  /** The last message, and whether its place is final: nothing in the thread waits for a target. */
  last(): { readonly ref: number; readonly eff: number; readonly isFinal: boolean } | undefined {
    const number = this.#sorted.at(-1);
    if (number === undefined) return undefined;
    return { ref: this.#refOf(number), eff: this.#effOf(number), isFinal: this.#absent.size === 0 };
  }

  has(ref: number): boolean {
    return this.#numbers.get(ref) >= 0;
  }

  /** The place of a message, or -1. O(log n). */
  placeOf(ref: number): number {
    const number = this.#numbers.get(ref);
    return number < 0 ? -1 : this.#search(number);
  }

  /** Adds a message, or takes it as it is now. */
  put(node: OrderNode): Put {
    const known = this.#numbers.get(node.ref);
    if (known >= 0) {
      if (sameNode(this.#nodes[known] as OrderNode, node)) return 'same';
      this.#nodes[known] = node;
      this.#rebuild();
      return 'moved';
    }
    const number = this.#add(node);
    if (this.#absent.has(node.ref) || node.targets.includes(node.ref)) {
      this.#rebuild();
      return 'moved';
    }
    this.#assignKey(number, undefined);
    const at = this.#search(number);
    if (at === this.#sorted.length) this.#sorted.push(number);
    else this.#sorted.splice(at, 0, number);
    this.#noteAbsent(node);
    return { at };
  }

  #add(node: OrderNode): number {
    const number = this.#nodes.length;
    this.#nodes.push(node);
    this.#numbers.set(node.ref, number);
    if (number === this.#eff.length) {
      this.#eff = grow(this.#eff);
      this.#hops = grow(this.#hops);
    }
    this.#eff[number] = -1;
    return number;
  }

  #refOf(number: number): number {
    return (this.#nodes[number] as OrderNode).ref;
  }

  #effOf(number: number): number {
    return this.#eff[number] as number;
  }

  /** Where a message is, or would be. Most come last. */
  #search(number: number): number {
    let low = 0;
    let high = this.#sorted.length;
    if (high > 0 && this.#compare(this.#sorted[high - 1] as number, number) < 0) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#sorted[middle] as number, number) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #noteAbsent({ targets }: OrderNode): void {
    for (const target of targets) if (this.#numbers.get(target) < 0) this.#absent.add(target);
  }

  /** `cycle` has the targets that are in one cycle with the node: those edges are ignored. */
  #assignKey(number: number, cycle: ReadonlySet<number> | undefined): void {
    const { ref, answer, targets } = this.#nodes[number] as OrderNode;
    let eff = -1;
    let hops = 0;
    for (const target of targets) {
      const at = cycle?.has(target) === true ? -1 : this.#numbers.get(target);
      if (at < 0 || this.#effOf(at) < 0) continue;
      const difference = eff < 0 ? 1 : this.#refs.compare(this.#effOf(at), eff);
      if (difference < 0) continue;
      const distance = (this.#hops[at] as number) + 1;
      hops = difference > 0 ? distance : Math.max(hops, distance);
      if (difference > 0) eff = this.#effOf(at);
    }
    const leads = eff < 0 || (!answer && this.#refs.compare(ref, eff) > 0);
    this.#eff[number] = leads ? ref : eff;
    this.#hops[number] = leads ? 0 : hops;
  }

  #rebuild(): void {
    this.#version += 1;
    this.#eff.fill(-1);
    this.#absent.clear();
    for (const node of this.#nodes) this.#noteAbsent(node);
    if (!this.#settle()) this.#settleCycles();
    this.#sorted = Array.from(this.#nodes.keys()).sort((a, b) => this.#compare(a, b));
  }

  /** The number of a target that has no key yet, or -1. */
  #findMissing(number: number): number {
    for (const target of (this.#nodes[number] as OrderNode).targets) {
      const at = this.#numbers.get(target);
      if (at >= 0 && this.#effOf(at) < 0) return at;
    }
    return -1;
  }

  /**
   * Assigns keys to every message that no cycle holds up: targets first, whatever the order they came in. Returns
   * whether that was all of them.
   */
  #settle(): boolean {
    const waiting = new Map<number, number[]>();
    const ready: number[] = [];
    let settled = 0;
    for (let first = 0; first < this.#nodes.length; first += 1) {
      for (let number: number | undefined = first; number !== undefined; number = ready.pop()) {
        const missing = this.#findMissing(number);
        if (missing < 0) {
          this.#assignKey(number, undefined);
          settled += 1;
          const freed = waiting.size === 0 ? undefined : waiting.get(number);
          if (freed === undefined) continue;
          waiting.delete(number);
          for (const other of freed) ready.push(other);
        } else {
          const others = waiting.get(missing);
          if (others === undefined) waiting.set(missing, [number]);
          else others.push(number);
        }
      }
    }
    return settled === this.#nodes.length;
  }

  /** Assigns keys to messages that are in a cycle, or refer to one. */
  #settleCycles(): void {
    const rest = new Map<number, OrderNode>();
    for (const [number, node] of this.#nodes.entries()) if (this.#effOf(number) < 0) rest.set(node.ref, node);
    for (const component of findComponents(rest)) {
      const cycle = new Set(component);
      for (const ref of component) {
        const number = this.#numbers.get(ref);
        const isCycle = component.length > 1 || (this.#nodes[number] as OrderNode).targets.includes(ref);
        this.#assignKey(number, isCycle ? cycle : undefined);
      }
    }
  }

  #compare(a: number, b: number): number {
    return (
      this.#refs.compare(this.#effOf(a), this.#effOf(b)) ||
      (this.#hops[a] as number) - (this.#hops[b] as number) ||
      this.#refs.compare(this.#refOf(a), this.#refOf(b))
    );
  }
}

function grow(column: Int32Array): Int32Array {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}

function sameNode(a: OrderNode, b: OrderNode): boolean {
  return (
    a.answer === b.answer &&
    a.targets.length === b.targets.length &&
    a.targets.every((target) => b.targets.includes(target))
  );
}

interface Visit {
  readonly ref: number;
  readonly targets: readonly number[];
  next: number;
  readonly index: number;
  low: number;
}

/**
 * Strongly connected components, targets before what refers to them (Tarjan). Without recursion: a chain of
 * `after` is as long as its thread.
 */
function findComponents(nodes: ReadonlyMap<number, OrderNode>): number[][] {
  const components: number[][] = [];
  const visits = new Map<number, Visit>();
  const open: Visit[] = [];
  const isOpen = new Set<number>();
  const enter = ({ ref, targets }: OrderNode): Visit => {
    const visit = { ref, targets, next: 0, index: visits.size, low: visits.size };
    visits.set(ref, visit);
    open.push(visit);
    isOpen.add(ref);
    return visit;
  };
  for (const start of nodes.values()) {
    if (visits.has(start.ref)) continue;
    const path = [enter(start)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const target = visit.targets[visit.next];
      if (target !== undefined) {
        visit.next += 1;
        const node = nodes.get(target);
        const known = visits.get(target);
        if (node !== undefined && known === undefined) path.push(enter(node));
        else if (known !== undefined && isOpen.has(target)) visit.low = Math.min(visit.low, known.index);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) parent.low = Math.min(parent.low, visit.low);
      if (visit.low !== visit.index) continue;
      const component: number[] = [];
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        isOpen.delete(member.ref);
        component.push(member.ref);
        if (member === visit) break;
      }
      components.push(component);
    }
  }
  return components;
}
