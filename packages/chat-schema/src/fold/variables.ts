import type { Json } from '../entry/json.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import type { VariablesEntry } from '../entry/variables.js';
import { freezeDeep } from '../host/values.js';
import type { Chosen } from './choose.js';
import { LastWriter } from './last-writer.js';
import { SubjectFold } from './subject.js';

type Entry = ReadEntry<VariablesEntry>;
type Values = Readonly<Record<string, Json>>;

interface Scope {
  readonly writers: Map<string, LastWriter<Entry>>;
  values: Values | undefined;
}

/** All variables of the document, folded by scope and name, entry by entry. */
export class VariablesFold extends SubjectFold {
  readonly #scopes = new Map<string, Scope>();

  protected rowsSince(since: number): number[] {
    return this.index.otherRows(KIND.variables, since);
  }

  protected isBlank(): boolean {
    return false;
  }

  protected clear(): void {
    this.#scopes.clear();
  }

  protected add({ entry }: Chosen): void {
    const { scope, scope_id, values = {} } = entry as Entry;
    if (scope === undefined || scope_id === undefined) return;
    const own = this.#take(scope, scope_id);
    own.values = undefined;
    for (const name of Object.keys(values)) {
      let writer = own.writers.get(name);
      if (writer === undefined) {
        writer = new LastWriter();
        own.writers.set(name, writer);
      }
      writer.add(entry as Entry);
    }
  }

  protected remove({ entry }: Chosen): boolean {
    const { scope = '', scope_id = '', values = {} } = entry as Entry;
    const own = this.#take(scope, scope_id);
    own.values = undefined;
    for (const name of Object.keys(values)) own.writers.get(name)?.remove(entry as Entry);
    return true;
  }

  #take(scope: string, scopeId: string): Scope {
    const key = JSON.stringify([scope, scopeId]);
    let own = this.#scopes.get(key);
    if (own === undefined) {
      own = { writers: new Map(), values: undefined };
      this.#scopes.set(key, own);
    }
    return own;
  }

  /** By name, sorted; without a prototype. The same object while nothing of the scope has changed. */
  read(scope: string, scopeId: string): Values {
    this.update();
    const own = this.#scopes.get(JSON.stringify([scope, scopeId]));
    if (own === undefined) return NO_VALUES;
    if (own.values === undefined) {
      const values = Object.create(null) as Record<string, Json>;
      for (const name of [...own.writers.keys()].sort()) {
        const value = own.writers.get(name)?.winner?.values?.[name];
        if (value !== null && value !== undefined) values[name] = freezeDeep(value);
      }
      own.values = Object.freeze(values);
    }
    return own.values;
  }

  /** Ids of the entries that a new one with these names replaces. */
  heads(scope: string, scopeId: string, names: readonly string[]): string[] {
    this.update();
    const own = this.#scopes.get(JSON.stringify([scope, scopeId]));
    const ids = new Set<string>();
    for (const name of names) for (const { id } of own?.writers.get(name)?.heads() ?? []) ids.add(id);
    return [...ids];
  }
}

const NO_VALUES: Values = Object.freeze(Object.create(null) as Record<string, Json>);
