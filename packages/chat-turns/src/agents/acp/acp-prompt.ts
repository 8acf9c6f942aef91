import type * as acp from '@agentclientprotocol/sdk';
import type { Json } from '@chatdoc/schema';
import type { Turn } from '../agent.js';
import { tellConversation } from '../conversation.js';
import { writePrompt } from '../transcript-text.js';
import { isObject } from './acp-updates.js';

/** The prompt: a text of what the agent does not know yet, then the files that came with it, in order. */
export function writeBlocks(
  turn: Turn,
  knowsSession: boolean,
  can: acp.PromptCapabilities = {},
): acp.ContentBlock[] {
  const files = tellConversation(turn, knowsSession).flatMap((item) =>
    item.role === 'user' ? item.files : [],
  );
  return [
    { type: 'text', text: writePrompt(turn, knowsSession) },
    ...files.map((data) => writeFile(data, can)),
  ];
}

/** A file as the agent takes it: inline if it can, else by its address, else by its name. */
function writeFile(data: Json, can: acp.PromptCapabilities): acp.ContentBlock {
  const file = isObject(data) ? data : {};
  const mimeType = asText(file['mimeType']) ?? asText(file['media_type']);
  const bytes = asText(file['data']) ?? asText(file['base64']);
  const uri = asText(file['uri']) ?? asText(file['url']);
  const name = asText(file['name']) ?? uri?.split('/').at(-1) ?? 'file';
  if (bytes !== undefined && mimeType?.startsWith('image/') && can.image) {
    return { type: 'image', mimeType, data: bytes };
  }
  if (bytes !== undefined && mimeType?.startsWith('audio/') && can.audio) {
    return { type: 'audio', mimeType, data: bytes };
  }
  const resource = file['resource'];
  if (isObject(resource) && typeof resource['uri'] === 'string') {
    if (can.embeddedContext) return { type: 'resource', resource: resource as acp.TextResourceContents };
    const text = asText(resource['text']);
    if (text !== undefined) return { type: 'text', text: `${resource['uri']}:\n\n${text}` };
  }
  if (bytes !== undefined && can.embeddedContext) {
    const blob = { uri: uri ?? `attachment:${name}`, blob: bytes, ...(mimeType && { mimeType }) };
    return { type: 'resource', resource: blob };
  }
  if (uri !== undefined) return { type: 'resource_link', uri, name, ...(mimeType && { mimeType }) };
  return {
    type: 'text',
    text: `[a file that this agent cannot take: ${name}${mimeType ? `, ${mimeType}` : ''}]`,
  };
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
