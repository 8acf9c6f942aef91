import { compareText } from '@chatdoc/schema/internal';
import type { Spoken } from './spoken.js';

/** A prompt with its answers; or what a model said without a prompt. */
export interface Turn {
  readonly head: Spoken;
  readonly parent: Turn | undefined;
  /** The node that the head follows. */
  readonly follows: Spoken | undefined;
  /** Steps of the answers in the order of the source; of a turn without prompt, all of it. */
  readonly steps: Spoken[];
  readonly asides: Spoken[];
  readonly children: Turn[];
  /** Where steps of a linear source go on, once the answer had ended. */
  tail: Turn;
}

/** One try at an answer. */
export interface Attempt {
  /** The first node that no earlier attempt has. */
  readonly first: Spoken;
  readonly steps: readonly Spoken[];
}

export interface TurnForest {
  /** Every turn, each after its parent. */
  readonly turns: readonly Turn[];
  /** Nodes without a way to the root. */
  readonly orphans: ReadonlySet<Spoken>;
}

export interface ForestOptions {
  /** Steps of one turn are one answer, whatever their parents: parallel calls fork inside a turn. Else each leaf is an attempt. */
  readonly isLinear: boolean;
}

/** Puts nodes into turns. A node whose parent is missing or below itself follows what was said before it. */
export function growForest(nodes: readonly Spoken[], { isLinear }: ForestOptions): TurnForest {
  const byKey = new Map<string, Spoken>();
  for (const node of nodes) if (!byKey.has(node.key)) byKey.set(node.key, node);
  const parents = new Map<Spoken, Spoken>();
  const orphans = new Set<Spoken>();
  for (const node of nodes) {
    if (node.parent === undefined) continue;
    const parent = byKey.get(node.parent);
    if (parent === undefined || parent === node) orphans.add(node);
    else parents.set(node, parent);
  }
  cutLoops(nodes, parents, orphans);
  adopt(nodes, parents, orphans);
  return { turns: createTurns(sortByParent(nodes, parents), parents, isLinear), orphans };
}

/** Frees the oldest node of each loop. */
function cutLoops(nodes: readonly Spoken[], parents: Map<Spoken, Spoken>, orphans: Set<Spoken>): void {
  const safe = new Set<Spoken>();
  for (const start of nodes) {
    const path = new Set<Spoken>();
    let node: Spoken | undefined = start;
    while (node !== undefined && !safe.has(node) && !path.has(node)) {
      path.add(node);
      node = parents.get(node);
    }
    if (node !== undefined && path.has(node)) {
      const loop: Spoken[] = [];
      for (let at: Spoken | undefined = node; at !== undefined && !loop.includes(at); at = parents.get(at))
        loop.push(at);
      const [oldest] = loop.sort(compareSpoken);
      if (oldest !== undefined) {
        parents.delete(oldest);
        orphans.add(oldest);
      }
    }
    for (const one of path) safe.add(one);
  }
}

/** Orphans follow the last node before them in time that is not below them; the earliest of all is a root. */
function adopt(nodes: readonly Spoken[], parents: Map<Spoken, Spoken>, orphans: ReadonlySet<Spoken>): void {
  if (orphans.size === 0) return;
  const homes = new Map<string, Spoken[]>();
  for (const node of [...nodes].sort(compareSpoken)) {
    const same = homes.get(node.home);
    if (same === undefined) homes.set(node.home, [node]);
    else same.push(node);
  }
  for (const same of homes.values()) {
    for (const [index, node] of same.entries()) {
      const before = same[index - 1];
      if (orphans.has(node) && before !== undefined && !isBelow(before, node, parents))
        parents.set(node, before);
    }
  }
}

function isBelow(node: Spoken, ancestor: Spoken, parents: ReadonlyMap<Spoken, Spoken>): boolean {
  for (let at: Spoken | undefined = node; at !== undefined; at = parents.get(at))
    if (at === ancestor) return true;
  return false;
}

/** In the order of the source, but each node after its parent. */
function sortByParent(nodes: readonly Spoken[], parents: ReadonlyMap<Spoken, Spoken>): readonly Spoken[] {
  const sorted = new Set<Spoken>();
  for (const start of nodes) {
    const path: Spoken[] = [];
    for (let at: Spoken | undefined = start; at !== undefined && !sorted.has(at); at = parents.get(at))
      path.push(at);
    for (const node of path.reverse()) sorted.add(node);
  }
  return [...sorted];
}

function createTurns(
  nodes: readonly Spoken[],
  parents: ReadonlyMap<Spoken, Spoken>,
  isLinear: boolean,
): readonly Turn[] {
  const turns: Turn[] = [];
  const turnOf = new Map<Spoken, Turn>();
  const begin = (head: Spoken, parent: Turn | undefined, follows: Spoken | undefined): Turn => {
    const turn = { head, parent, follows, steps: [], asides: [], children: [] } as unknown as Turn;
    turn.tail = turn;
    parent?.children.push(turn);
    turns.push(turn);
    return turn;
  };
  for (const node of nodes) {
    const follows = parents.get(node);
    const above = follows && turnOf.get(follows);
    const open = isLinear ? above?.tail : above;
    let turn: Turn;
    if (node.by === 'model') {
      const before = isLinear ? (open?.steps.at(-1) ?? open?.head) : follows;
      // An aside without a turn asks for nothing: what follows is no answer to it.
      const isAnswer = open !== undefined && open.head.by !== 'aside' && !hasEnded(before, node);
      turn = isAnswer ? open : begin(node, open, before);
      turn.steps.push(node);
      if (turn !== open && above !== undefined) above.tail = turn;
    } else if (node.by === 'aside' && open !== undefined) {
      turn = open;
      turn.asides.push(node);
    } else {
      turn = begin(node, open, follows);
    }
    turnOf.set(node, turn);
  }
  return turns;
}

/** Whether an answer was over, so that more of the model is a message of its own: what was finished never changes. */
function hasEnded(before: Spoken | undefined, { unit }: Spoken): boolean {
  return (
    before?.by === 'model' && before.end !== undefined && (before.unit === undefined || before.unit !== unit)
  );
}

/** The attempts of a turn, oldest first. */
export function listAttempts({ steps }: Turn, isLinear: boolean): readonly Attempt[] {
  const [first] = steps;
  if (first === undefined) return [];
  if (isLinear) return [{ first, steps }];
  const keys = new Set(steps.map(({ key }) => key));
  const below = new Map<string | undefined, Spoken[]>();
  for (const step of steps) {
    const parent = step.parent !== undefined && keys.has(step.parent) ? step.parent : undefined;
    const same = below.get(parent);
    if (same === undefined) below.set(parent, [step]);
    else same.push(step);
  }
  const attempts: Attempt[] = [];
  const todo = (below.get(undefined) ?? []).map((root) => ({ first: root, prefix: [] as readonly Spoken[] }));
  for (const { first: start, prefix } of todo) {
    const chain = [...prefix];
    for (let at: Spoken | undefined = start; at !== undefined; ) {
      chain.push(at);
      const [next, ...others]: Spoken[] = (below.get(at.key) ?? []).sort(compareSpoken);
      const shared = [...chain];
      for (const other of others) todo.push({ first: other, prefix: shared });
      at = next;
    }
    attempts.push({ first: start, steps: chain });
  }
  return attempts.sort((a, b) => compareSpoken(a.first, b.first));
}

/** By time, then key: nothing that another export changes. */
export function compareSpoken(a: Spoken, b: Spoken): number {
  return (a.time ?? 0) - (b.time ?? 0) || compareText(a.key, b.key);
}
