import type { Json, JsonObject } from '@chatdoc/schema';

export type PromptRole = 'system' | 'user' | 'assistant';

export interface PromptMessage {
  readonly role: PromptRole;
  readonly content: string;
}

/** The `template` field of a run thread. */
export interface Template {
  /** Named by its author; the entry that holds it is recorded in any case. */
  readonly version?: string;
  /** Texts with `{{name}}` for a variable and `{{secret.NAME}}` for what the host gives at dispatch. */
  readonly messages: readonly PromptMessage[];
  readonly defaults?: Readonly<Record<string, Json>>;
}

const ROLES: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant']);
/** Any text between double braces is a name, in any script, with blanks in it: what is sent never holds a place. */
const PLACE = /\{\{\s*([^\s{}](?:[^{}\n]*[^\s{}])?)\s*\}\}/gu;
const SECRET = 'secret.';

/** The template that an unknown value holds; undefined if it holds none. */
export function readTemplate(value: JsonObject | undefined): Template | undefined {
  if (value === undefined || !Array.isArray(value['messages'])) return undefined;
  const messages: PromptMessage[] = [];
  for (const message of value['messages'] as readonly Json[]) {
    if (typeof message !== 'object' || message === null || !('content' in message)) return undefined;
    const { role, content } = message as { role?: Json; content: Json };
    if (!ROLES.has(role) || typeof content !== 'string') return undefined;
    messages.push({ role: role as PromptRole, content });
  }
  const { version, defaults } = value;
  return {
    messages,
    ...(typeof version === 'string' && { version }),
    ...(typeof defaults === 'object' && defaults !== null && !Array.isArray(defaults)
      ? { defaults: defaults as JsonObject }
      : {}),
  };
}

/** The variables and secrets that the texts name, each once, in order of code units. */
export function listNames(messages: readonly PromptMessage[]): {
  readonly variables: readonly string[];
  readonly secrets: readonly string[];
} {
  const variables = new Set<string>();
  const secrets = new Set<string>();
  for (const { content } of messages) {
    for (const [, name = ''] of content.matchAll(PLACE)) {
      if (name.startsWith(SECRET)) secrets.add(name.slice(SECRET.length));
      else variables.add(name);
    }
  }
  return { variables: [...variables].sort(), secrets: [...secrets].sort() };
}

/**
 * Fills in what `values` and `secrets` have; the rest stays as it is. One pass: a value is text,
 * and never read as a place again.
 */
export function fillTemplate(
  messages: readonly PromptMessage[],
  values: Readonly<Record<string, Json>>,
  secrets: Readonly<Record<string, string>> = {},
): readonly PromptMessage[] {
  return messages.map(({ role, content }) => ({
    role,
    content: content.replace(PLACE, (place: string, name: string) => {
      if (name.startsWith(SECRET)) {
        const secret = name.slice(SECRET.length);
        return Object.hasOwn(secrets, secret) ? (secrets[secret] as string) : place;
      }
      return Object.hasOwn(values, name) ? writeValue(values[name] as Json) : place;
    }),
  }));
}

function writeValue(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
