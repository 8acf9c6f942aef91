import type { Json } from '@chatdoc/schema';
import type { Turn } from './agent.js';
import { GO_ON, GO_ON_TOOLS, type ToldCall, type ToldItem, tellConversation } from './conversation.js';

/** Code units of a tool's input or result in a text. */
const MAX_VALUE = 4_000;

/**
 * The prompt for an agent that takes plain text: of a run its messages, else what the provider does not know yet.
 * One message is sent as it is; with several each begins with its sender.
 */
export function writePrompt(turn: Turn, knowsSession: boolean): string {
  const items = tellConversation(turn, knowsSession).filter(isSaid);
  const cut = turn.continues === undefined ? undefined : items.at(-2);
  if (cut?.role !== 'assistant') return writeItems(turn, items);
  // What is to be gone on from comes last: a model goes on from there.
  const tools = cut.steps.some(({ type }) => type === 'tool_call') ? `${GO_ON_TOOLS}\n\n` : '';
  return `${writeItems(turn, items.slice(0, -2))}\n\n${tools}${GO_ON}:\n\n${writeSteps(cut.steps)}`;
}

function writeItems(turn: Turn, items: readonly ToldItem[]): string {
  const [only] = items;
  if (items.length === 0) return turn.prompt.content;
  if (only?.role === 'user' && items.length === 1) return only.text;
  const hasSenders = items.some((item) => item.role !== 'system' && item.sender_id !== undefined);
  return items.map((item) => writeItem(item, hasSenders)).join('\n\n');
}

function isSaid(item: ToldItem): boolean {
  return item.role === 'assistant' ? item.steps.some(({ type }) => type !== 'reasoning') : item.text !== '';
}

function writeItem(item: ToldItem, hasSenders: boolean): string {
  if (item.role === 'system') return item.text;
  const sender = item.sender_id ?? (item.role === 'assistant' ? 'you' : undefined);
  const said = item.role === 'user' ? item.text : writeSteps(item.steps);
  return hasSenders && sender !== undefined ? `${sender}: ${said}` : said;
}

function writeSteps(steps: Extract<ToldItem, { readonly role: 'assistant' }>['steps']): string {
  const written: string[] = [];
  for (const step of steps) {
    if (step.type === 'text') written.push(step.text);
    else if (step.type === 'tool_call') written.push(writeCall(step));
  }
  return written.join('\n\n');
}

function writeCall({ name, input, output }: ToldCall): string {
  return `[tool ${name} ${writeValue(input)} → ${writeValue(output)}]`;
}

function writeValue(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}… (${text.length} characters)`;
}
