import type { Annotation, ConfigConflict, Json, ThreadConfig, ThreadConfigFields } from '@chatdoc/schema';
import { compare, type OracleEntry } from './oracle-lines.js';
import { compact, type Entries, findConflictHeads, text } from './oracle-turns.js';

const CONFIG_FIELDS: readonly (keyof ThreadConfigFields)[] = [
  ...(['name', 'thread_color', 'thread_icon', 'thread_image', 'pin', 'archived', 'acp_config'] as const),
  ...(['agent_kind', 'session', 'template', 'variables', 'anchor', 'resolved'] as const),
];

function headsOf(entries: Entries, id: string, field: string): OracleEntry[] {
  return findConflictHeads(entries.of('thread_config', id).filter(({ body }) => body[field] !== undefined));
}

/** [LW1], [LW4] */
export function readConfig(entries: Entries, id: string): ThreadConfig {
  const config: Record<string, unknown> = { thread_id: id };
  const winners: OracleEntry[] = [];
  for (const field of CONFIG_FIELDS) {
    const winner = headsOf(entries, id, field)[0];
    if (winner === undefined) continue;
    winners.push(winner);
    if (winner.body[field] !== null) config[field] = winner.body[field];
  }
  const latest = winners.sort((a, b) => compare(b.own, a.own))[0];
  config['updated_at'] = latest?.body['updated_at'];
  config['updated_by'] = latest?.body['updated_by'];
  return compact(config) as unknown as ThreadConfig;
}

/** [LW3] */
export function readConflicts(entries: Entries, id: string): ConfigConflict[] {
  return CONFIG_FIELDS.map((field) => ({
    field,
    entries: headsOf(entries, id, field).map(({ own, body }) => ({
      id: own,
      updated_by: text(body['updated_by']),
      value: body[field] as Json,
    })),
  })).filter((conflict) => conflict.entries.length > 1);
}

/** [SL3] */
export function readVariables(entries: Entries, scope: string, scopeId: string): Record<string, Json> {
  const all = entries
    .of('variables')
    .filter(({ body }) => body['scope'] === scope && body['scope_id'] === scopeId);
  const names = new Set(all.flatMap(({ body }) => Object.keys((body['values'] ?? {}) as object)));
  const values: Record<string, Json> = {};
  for (const name of names) {
    const having = all.filter(({ body }) => Object.hasOwn((body['values'] ?? {}) as object, name));
    const value = (findConflictHeads(having)[0]?.body['values'] as Record<string, Json> | undefined)?.[name];
    if (value !== null && value !== undefined) values[name] = value;
  }
  return values;
}

/** [SL4] */
export function readAnnotations(entries: Entries, role: 'thread' | 'message', id: string): Annotation[] {
  const all = entries
    .of('annotation', id)
    .filter(
      ({ about, body }) => about === role && body['user_id'] !== undefined && body['key'] !== undefined,
    );
  const keyOf = ({ body }: OracleEntry): string => JSON.stringify([body['user_id'], body['key']]);
  return [...new Set(all.map(keyOf))]
    .flatMap((key) => findConflictHeads(all.filter((entry) => keyOf(entry) === key)).slice(0, 1))
    .filter(({ body }) => body['value'] !== null && body['value'] !== undefined)
    .map(
      ({ own, body }) =>
        ({
          id: own,
          [`${role}_id`]: id,
          user_id: text(body['user_id']),
          key: text(body['key']),
          value: body['value'] as Json,
        }) as Annotation,
    )
    .sort((a, b) => compare(a.id, b.id));
}
