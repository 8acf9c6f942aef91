import type { Json } from '@chatdoc/schema';
import type { Turn } from '../agent.js';
import { type ToldItem, type ToldStep, tellConversation } from '../conversation.js';
import { toFunctionName } from '../function-tool.js';
import { isJsonObject } from '../usage.js';

/** All that is sent as instructions: those of the agent, and the system messages of a run or of what follows one. */
export function joinSystem(instructions: string | undefined, turn: Turn): string | undefined {
  const system = tellConversation(turn).flatMap((item) => (item.role === 'system' ? [item.text] : []));
  const all = instructions === undefined ? system : [instructions, ...system];
  return all.length === 0 ? undefined : all.join('\n\n');
}

/** Items of the Responses API. System messages are instructions, which a chain does not keep. */
export function writeInput(items: readonly ToldItem[]): Json[] {
  const isNamed = hasSeveral(items);
  return items.flatMap((item): Json[] => {
    if (item.role === 'system') return [];
    if (item.role === 'user') return [{ role: 'user', content: writeContent(item, 'input_', isNamed) }];
    return item.steps.flatMap(writeStep);
  });
}

function writeStep(step: ToldStep): Json[] {
  if (step.type === 'text')
    return [{ role: 'assistant', content: [{ type: 'output_text', text: step.text }] }];
  // Only what is whole in itself: of a response that was cut the provider may know nothing.
  if (step.type === 'reasoning') {
    return isJsonObject(step.data) && step.data['encrypted_content'] ? [step.data] : [];
  }
  const { id: call_id, name, input, output: value } = step;
  const output = typeof value === 'string' ? value : JSON.stringify(value);
  return [
    { type: 'function_call', call_id, name: toFunctionName(name), arguments: JSON.stringify(input) },
    { type: 'function_call_output', call_id, output },
  ];
}

/** A message of a person, as a text or, with files, as parts; images inline, of other files the name. */
export function writeContent(
  { text, files, sender_id }: Extract<ToldItem, { readonly role: 'user' }>,
  prefix: 'input_' | '',
  isNamed = false,
): Json {
  const said = isNamed && sender_id !== undefined ? `${sender_id}: ${text}` : text;
  if (files.length === 0) return said;
  const parts = files.map((file): Json => {
    const { media_type, mimeType, base64, data, url, uri, name } = isJsonObject(file) ? file : {};
    const type = media_type ?? mimeType;
    const bytes = base64 ?? data;
    const address =
      typeof bytes === 'string' && typeof type === 'string' ? `data:${type};base64,${bytes}` : url;
    if (typeof address === 'string' && typeof type === 'string' && type.startsWith('image/')) {
      // The one takes an address, the other an object around it.
      return prefix === ''
        ? { type: 'image_url', image_url: { url: address } }
        : { type: 'input_image', image_url: address };
    }
    return { type: `${prefix}text`, text: `[file ${String(name ?? uri ?? url ?? 'without a name')}]` };
  });
  return said === '' ? parts : [{ type: `${prefix}text`, text: said }, ...parts];
}

/** Whether several people speak: then each is named. */
export function hasSeveral(items: readonly ToldItem[]): boolean {
  return new Set(items.flatMap((item) => (item.role === 'user' ? (item.sender_id ?? []) : []))).size > 1;
}
