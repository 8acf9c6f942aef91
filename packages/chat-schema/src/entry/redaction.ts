import { defineEntry, type EntryDefinition } from './define.js';
import { date, id, name } from './field.js';

export interface RedactionEntry {
  readonly type: 'redaction';
  readonly id: string;
  readonly message_id: string;
  readonly by: string;
  readonly date: string;
}

export const redaction: EntryDefinition<RedactionEntry> = defineEntry<RedactionEntry>()(
  'redaction',
  { id, message_id: id, by: name, date },
  { head: { own: 'id', about: ['message_id'] }, author: 'by' },
);
