import { exportCocalc } from './cocalc-export.js';
import { exportJupyter } from './jupyter-export.js';
import { exportMarkdown } from './markdown-export.js';
import type { ExportableChat } from './unshown.js';

export const EXPORT_FORMATS = ['jsonl', 'cocalc', 'jupyter', 'markdown'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * The chat as a file of another format; `jsonl` is the document itself. A function of what the document holds: no
 * clock, locale or time zone. Never throws on a document; `describeLoss` counts what the format has no place for.
 */
export function exportChat(chat: ExportableChat, format: ExportFormat): string {
  switch (format) {
    case 'jsonl':
      return chat.toJSONL();
    case 'cocalc':
      return exportCocalc(chat);
    case 'jupyter':
      return exportJupyter(chat);
    case 'markdown':
      return exportMarkdown(chat);
  }
}
