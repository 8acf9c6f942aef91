import type { ChatReader, Json } from '@chatdoc/schema';
import { flatten } from './plain-text.js';
import { cutText } from './wrap-text.js';

export const UNKNOWN_NAME = 'unknown';
const MAX_WIDTH = 40;

/** What to call a sender: the name that a migrated user list gives, else the id. */
export type NameSender = (senderId: string) => string;

export function createNameSender(chat: ChatReader): NameSender {
  const names = new Map<string, string>();
  for (const { reason, row } of chat.legacyRows()) {
    if (reason !== 'jupyter_user') continue;
    const { key, value } = readObject(row);
    const { display_name, name } = readObject(value);
    const shown = [display_name, name].find((text) => typeof text === 'string' && text.trim() !== '');
    if (typeof key === 'string' && typeof shown === 'string') names.set(key, shown);
  }
  return (senderId) => {
    const name = flatten(names.get(senderId) ?? senderId);
    return name === '' || name === '__unknown__' ? UNKNOWN_NAME : cutText(name, MAX_WIDTH);
  };
}

function readObject(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}
