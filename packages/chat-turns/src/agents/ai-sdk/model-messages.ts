import type { Json, JsonObject } from '@chatdoc/schema';
import type { ModelMessage } from 'ai';
import type { Turn } from '../agent.js';
import { type ToldItem, type ToldStep, tellConversation } from '../conversation.js';

type Content<Role extends ModelMessage['role']> = Exclude<
  Extract<ModelMessage, { readonly role: Role }>['content'],
  string
>;
type UserPart = Content<'user'>[number];
type AssistantPart = Content<'assistant'>[number];
type ProviderOptions = NonNullable<Extract<AssistantPart, { readonly type: 'reasoning' }>['providerOptions']>;
type ResultPart = Content<'tool'>[number];

/**
 * The conversation as messages of the AI SDK: answers with the calls of their tools and the results, reasoning with
 * what its provider wants back, a sentence where an answer was cut. Where several people speak, each message of
 * theirs names its sender. System messages come first; `aiSdkAgent` sends those as instructions.
 */
export function writeConversation(turn: Turn): ModelMessage[] {
  const items = tellConversation(turn);
  const people = new Set(items.flatMap((item) => (item.role === 'user' ? (item.sender_id ?? []) : [])));
  return items.flatMap((item): ModelMessage[] => {
    if (item.role === 'system') return [{ role: 'system', content: item.text }];
    return item.role === 'assistant' ? writeSteps(item.steps) : [writeUser(item, people.size > 1)];
  });
}

function writeUser(
  { text, files, sender_id }: Extract<ToldItem, { readonly role: 'user' }>,
  isNamed: boolean,
): ModelMessage {
  const said = isNamed && sender_id !== undefined ? `${sender_id}: ${text}` : text;
  if (files.length === 0) return { role: 'user', content: said };
  const content: UserPart[] = files.map(writeFile);
  if (said !== '') content.unshift({ type: 'text', text: said });
  return { role: 'user', content };
}

/** A file of ours, of ACP, or of the web; of anything else its name. */
function writeFile(data: Json): UserPart {
  const { media_type, mimeType, base64, data: inline, url, uri, name } = asObject(data);
  const mediaType = asText(media_type) ?? asText(mimeType);
  const bytes = asText(base64) ?? asText(inline);
  if (bytes !== undefined && mediaType !== undefined) return { type: 'file', data: bytes, mediaType };
  const address = asText(url) ?? asText(uri);
  if (address !== undefined && mediaType !== undefined && /^https?:/.test(address)) {
    return { type: 'file', data: new URL(address), mediaType };
  }
  return { type: 'text', text: `[file ${address ?? asText(name) ?? 'without a name'}]` };
}

function writeSteps(steps: readonly ToldStep[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  let content: AssistantPart[] = [];
  let results: ResultPart[] = [];
  const flush = (): void => {
    if (content.length > 0) messages.push({ role: 'assistant', content });
    if (results.length > 0) messages.push({ role: 'tool', content: results });
    content = [];
    results = [];
  };
  for (const step of steps) {
    if (step.type !== 'tool_call') {
      // Results go before what was said after them.
      if (results.length > 0) flush();
      content.push(...writeSaid(step));
      continue;
    }
    const { id: toolCallId, name: toolName, input, output, isError, data } = step;
    content.push({ type: 'tool-call', toolCallId, toolName, input, ...metadataOf(data) });
    const value = isError ? ({ type: 'error-text', value: writeText(output) } as const) : writeResult(output);
    results.push({ type: 'tool-result', toolCallId, toolName, output: value });
  }
  flush();
  return messages;
}

/** No provider takes reasoning that it did not sign. */
function writeSaid(step: Exclude<ToldStep, { readonly type: 'tool_call' }>): AssistantPart[] {
  if (step.type === 'text') return [{ type: 'text', text: step.text }];
  const metadata = metadataOf(step.data);
  return 'providerOptions' in metadata ? [{ type: 'reasoning', text: step.text, ...metadata }] : [];
}

function metadataOf(data: Json | undefined): { readonly providerOptions?: ProviderOptions } {
  const metadata = asObject(data)['provider_metadata'];
  return typeof metadata === 'object' && metadata !== null
    ? { providerOptions: metadata as unknown as ProviderOptions }
    : {};
}

function writeResult(output: Json): Extract<ResultPart, { readonly type: 'tool-result' }>['output'] {
  return { type: 'json', value: output as never };
}

function writeText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function asObject(value: Json | undefined): Readonly<Record<string, Json | undefined>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
