import { compareText } from '../host/values.js';

/** What orders a message: its id, and the messages that its author had seen. */
export interface OrderNode {
  readonly id: string;
  /** An answer's derived id is no stamp: it leads only where no target is there. */
  readonly answer: boolean;
  readonly targets: readonly string[];
}

interface Key {
  readonly id: string;
  readonly eff: string;
  readonly hops: number;
}

/**
 * The messages of one thread by (eff, hops, id). A message that refers to nothing unseen is inserted in
 * O(log n); one that others waited for, or that comes again, has all keys computed anew in O(n log n).
 */
export class ThreadOrder {
  readonly #nodes = new Map<string, OrderNode>();
  readonly #keys = new Map<string, Key>();
  /** Targets that are not there. */
  readonly #absent = new Set<string>();
  #sorted: Key[] = [];

  constructor(nodes: Iterable<OrderNode>) {
    for (const node of nodes) this.#nodes.set(node.id, node);
    this.#rebuild();
  }

  ids(): string[] {
    return this.#sorted.map((key) => key.id);
  }

  /** The last message, and whether its place is final: nothing in the thread waits for a target. */
  last(): { readonly id: string; readonly eff: string; readonly isFinal: boolean } | undefined {
    const key = this.#sorted.at(-1);
    return key && { id: key.id, eff: key.eff, isFinal: this.#absent.size === 0 };
  }

  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  /** Adds a message, or takes it as it is now. */
  put(node: OrderNode): void {
    const known = this.#nodes.get(node.id);
    if (known !== undefined && sameNode(known, node)) return;
    this.#nodes.set(node.id, node);
    if (known !== undefined || this.#absent.has(node.id) || node.targets.includes(node.id)) {
      this.#rebuild();
      return;
    }
    const key = this.#keyOf(node, undefined);
    this.#keys.set(node.id, key);
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#sorted[middle] as Key, key) < 0) low = middle + 1;
      else high = middle;
    }
    this.#sorted.splice(low, 0, key);
    this.#noteAbsent(node);
  }

  #noteAbsent(node: OrderNode): void {
    for (const target of node.targets) if (!this.#nodes.has(target)) this.#absent.add(target);
  }

  /** `cycle` tells which targets are in one cycle with the node: those edges are ignored. */
  #keyOf(node: OrderNode, cycle: ReadonlySet<string> | undefined): Key {
    let eff = '';
    let hops = 0;
    for (const target of node.targets) {
      const key = cycle?.has(target) === true ? undefined : this.#keys.get(target);
      if (key === undefined) continue;
      if (key.eff > eff) {
        eff = key.eff;
        hops = key.hops + 1;
      } else if (key.eff === eff) {
        hops = Math.max(hops, key.hops + 1);
      }
    }
    const leads = node.answer ? eff === '' : node.id > eff;
    return leads ? { id: node.id, eff: node.id, hops: 0 } : { id: node.id, eff, hops };
  }

  #rebuild(): void {
    this.#keys.clear();
    this.#absent.clear();
    for (const component of findComponents(this.#nodes)) {
      const cycle = component.length > 1 ? new Set(component) : undefined;
      const keys = component.map((id) => {
        const node = this.#nodes.get(id) as OrderNode;
        return this.#keyOf(node, cycle ?? (node.targets.includes(id) ? new Set([id]) : undefined));
      });
      for (const key of keys) this.#keys.set(key.id, key);
    }
    for (const node of this.#nodes.values()) this.#noteAbsent(node);
    this.#sorted = [...this.#keys.values()].sort(compareKeys);
  }
}

function sameNode(a: OrderNode, b: OrderNode): boolean {
  return (
    a.answer === b.answer &&
    a.targets.length === b.targets.length &&
    a.targets.every((target, i) => target === b.targets[i])
  );
}

function compareKeys(a: Key, b: Key): number {
  return compareText(a.eff, b.eff) || a.hops - b.hops || compareText(a.id, b.id);
}

interface Visit {
  readonly id: string;
  readonly targets: readonly string[];
  next: number;
  readonly index: number;
  low: number;
}

/**
 * Strongly connected components, targets before what refers to them (Tarjan). Without recursion: a chain of
 * `after` is as long as its thread.
 */
function findComponents(nodes: ReadonlyMap<string, OrderNode>): string[][] {
  const components: string[][] = [];
  const visits = new Map<string, Visit>();
  const open: Visit[] = [];
  const isOpen = new Set<string>();
  const enter = (node: OrderNode): Visit => {
    const visit = { id: node.id, targets: node.targets, next: 0, index: visits.size, low: visits.size };
    visits.set(node.id, visit);
    open.push(visit);
    isOpen.add(node.id);
    return visit;
  };
  for (const start of nodes.values()) {
    if (visits.has(start.id)) continue;
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
      const component: string[] = [];
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        isOpen.delete(member.id);
        component.push(member.id);
        if (member === visit) break;
      }
      components.push(component);
    }
  }
  return components;
}
