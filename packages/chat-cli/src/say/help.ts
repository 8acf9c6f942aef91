import { type Io, widthOf } from '../io.js';
import { wrapText } from './wrap-text.js';

export const FILES = `Files:
  chatdoc reads its own documents (.ychat, and .chatdoc.jsonl, their text
  form), the chats of CoCalc (.chat, .sage-chat, .smc-chat) and jupyter-chat
  (.chat), and tables of threads or messages (.json, .csv). It looks at the
  content of a file, not at its name.`;

/** Written for 80 columns, and wrapped again where there are fewer. */
export function fitHelp(text: string, { stdout }: Io): string {
  return wrapText(text, widthOf(stdout)).join('\n');
}
