import type { RefTable } from '../index/refs.js';

/** The order node of a message: its ref, and those of the messages that its author had seen. */
export interface OrderNode {
  readonly ref: number;
  /** An answer's derived id is not a stamp: it leads only where no target is there. */
  readonly answer: boolean;
  readonly targets: readonly number[];
}

interface Key {
  readonly ref: number;
  /** The greatest stamp among its own and those it refers to. */
  readonly eff: number;
  readonly hops: number;
}

/** The effect of putting a node: where it went in, or whether others may have moved. */
export type Put = { readonly at: number } | 'same' | 'moved';

/**
 * The messages of one thread by (eff, hops, id), on refs. A message that refers to nothing unseen is inserted in
 * O(log n); one that others waited for, or that comes again with other targets, has all keys recomputed.
 */
export class ThreadOrder {
  readonly #refs: RefTable;
  readonly #nodes = new Map<number, OrderNode>();
  readonly #keys = new Map<number, Key>();
  /** Targets that are not there. */
  readonly #absent = new Set<number>();
  #sorted: Key[] = [];
  #version = 0;

  constructor(refs: RefTable, nodes: Iterable<OrderNode>) {
    this.#refs = refs;
    for (const node of nodes) this.#nodes.set(node.ref, node);
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
    return this.#sorted[place]?.ref;
  }

  /** The last message, and whether its place is final: nothing in the thread waits for a target. */
  last(): { readonly ref: number; readonly eff: number; readonly isFinal: boolean } | undefined {
    const key = this.#sorted.at(-1);
    return key && { ref: key.ref, eff: key.eff, isFinal: this.#absent.size === 0 };
  }

  has(ref: number): boolean {
    return this.#nodes.has(ref);
  }

  /** The place of a message, or -1. O(log n). */
  placeOf(ref: number): number {
    const key = this.#keys.get(ref);
    return key === undefined ? -1 : this.#search(key);
  }

  /** Adds a message, or takes it as it is now. */
  put(node: OrderNode): Put {
    const known = this.#nodes.get(node.ref);
    if (known !== undefined && sameNode(known, node)) return 'same';
    this.#nodes.set(node.ref, node);
    if (known !== undefined || this.#absent.has(node.ref) || node.targets.includes(node.ref)) {
      this.#rebuild();
      return 'moved';
    }
    const key = this.#keyOf(node, undefined);
    const at = this.#search(key);
    this.#keys.set(node.ref, key);
    if (at === this.#sorted.length) this.#sorted.push(key);
    else this.#sorted.splice(at, 0, key);
    this.#noteAbsent(node);
    return { at };
  }

  /** Where a key is, or would be. Most come last. */
  #search(key: Key): number {
    let low = 0;
    let high = this.#sorted.length;
    if (high > 0 && this.#compare(this.#sorted[high - 1] as Key, key) < 0) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#sorted[middle] as Key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #noteAbsent(node: OrderNode): void {
    for (const target of node.targets) if (!this.#nodes.has(target)) this.#absent.add(target);
  }

  /** `cycle` has the targets that are in one cycle with the node: those edges are ignored. */
  #keyOf(node: OrderNode, cycle: ReadonlySet<number> | undefined): Key {
    let eff = -1;
    let hops = 0;
    for (const target of node.targets) {
      const key = cycle?.has(target) === true ? undefined : this.#keys.get(target);
      if (key === undefined) continue;
      const difference = eff < 0 ? 1 : this.#refs.compare(key.eff, eff);
      if (difference > 0) {
        eff = key.eff;
        hops = key.hops + 1;
      } else if (difference === 0) {
        hops = Math.max(hops, key.hops + 1);
      }
    }
    const leads = eff < 0 || (!node.answer && this.#refs.compare(node.ref, eff) > 0);
    return leads ? { ref: node.ref, eff: node.ref, hops: 0 } : { ref: node.ref, eff, hops };
  }

  #rebuild(): void {
    this.#version += 1;
    this.#keys.clear();
    this.#absent.clear();
    for (const node of this.#nodes.values()) this.#noteAbsent(node);
    this.#settle();
    if (this.#keys.size < this.#nodes.size) this.#settleCycles();
    this.#sorted = [...this.#keys.values()].sort((a, b) => this.#compare(a, b));
  }

  /** Assigns keys to every message that no cycle holds up: targets first, whatever the order they came in. */
  #settle(): void {
    const waiting = new Map<number, OrderNode[]>();
    const ready: OrderNode[] = [];
    const missing = (node: OrderNode): number | undefined =>
      node.targets.find((target) => this.#nodes.has(target) && !this.#keys.has(target));
    const visit = (node: OrderNode): void => {
      const target = missing(node);
      if (target === undefined) {
        this.#keys.set(node.ref, this.#keyOf(node, undefined));
        const freed = waiting.get(node.ref);
        if (freed === undefined) return;
        waiting.delete(node.ref);
        for (const other of freed) ready.push(other);
      } else {
        const others = waiting.get(target);
        if (others === undefined) waiting.set(target, [node]);
        else others.push(node);
      }
    };
    for (const node of this.#nodes.values()) {
      visit(node);
      for (let next = ready.pop(); next !== undefined; next = ready.pop()) visit(next);
    }
  }

  /** Assigns keys to messages that are in a cycle, or refer to one. */
  #settleCycles(): void {
    const rest = new Map<number, OrderNode>();
    for (const [ref, node] of this.#nodes) if (!this.#keys.has(ref)) rest.set(ref, node);
    for (const component of findComponents(rest)) {
      const cycle = new Set(component);
      const keys = component.map((ref) => {
        const node = this.#nodes.get(ref) as OrderNode;
        return this.#keyOf(node, component.length > 1 || node.targets.includes(ref) ? cycle : undefined);
      });
      for (const key of keys) this.#keys.set(key.ref, key);
    }
  }

  #compare(a: Key, b: Key): number {
    return this.#refs.compare(a.eff, b.eff) || a.hops - b.hops || this.#refs.compare(a.ref, b.ref);
  }
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
