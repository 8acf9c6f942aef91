import { compare } from './oracle-lines.js';

export interface Node {
  readonly id: string;
  /** Message ids named by the entries: those that count as targets. */
  readonly targets: readonly string[];
  /** [OR1] The derived id of an answer is not a stamp. */
  readonly isAnswer: boolean;
}

interface Key {
  readonly eff: string;
  readonly hops: number;
}

/** [OR1], [OR2]: ids in the order of (eff, hops, id), by the definition and nothing else. */
export function orderNodes(nodes: readonly Node[]): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const targets = (id: string): string[] =>
    [...new Set(byId.get(id)?.targets ?? [])].filter((target) => byId.has(target));
  // Reachability, naively: every node walks the whole graph.
  const reach = new Map<string, Set<string>>();
  for (const { id } of nodes) {
    const seen = new Set<string>();
    const todo = targets(id);
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      todo.push(...targets(next));
    }
    reach.set(id, seen);
  }
  const edges = (id: string): string[] => targets(id).filter((target) => reach.get(target)?.has(id) !== true);

  const keys = new Map<string, Key>();
  const keyOf = (id: string): Key => {
    const known = keys.get(id);
    if (known !== undefined) return known;
    const led = edges(id).map(keyOf);
    const own = byId.get(id)?.isAnswer === true && led.length > 0 ? '' : id;
    const eff = [own, ...led.map((key) => key.eff)].sort(compare).at(-1) ?? own;
    const leading = led.filter((key) => key.eff === eff).map((key) => key.hops);
    const key = { eff, hops: own === eff ? 0 : 1 + Math.max(...leading) };
    keys.set(id, key);
    return key;
  };
  return nodes
    .map(({ id }) => ({ id, ...keyOf(id) }))
    .sort((a, b) => compare(a.eff, b.eff) || a.hops - b.hops || compare(a.id, b.id))
    .map(({ id }) => id);
}

/** [OR4] */
export function putRootFirst(order: readonly string[], named: string | undefined): string[] {
  if (named === undefined || !order.includes(named)) return [...order];
  return [named, ...order.filter((id) => id !== named)];
}
