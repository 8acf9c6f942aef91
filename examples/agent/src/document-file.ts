import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import * as Y from 'yjs';

/** Loads a document from its file, and appends to it whatever changes from then on. One process a file. */
export function keepDocument(doc: Y.Doc, path: string): void {
  if (existsSync(path)) {
    const lines = readFileSync(path, 'utf8').split('\n');
    // The last is what a crash may have cut.
    doc.transact(() => {
      for (const line of lines.slice(0, -1)) Y.applyUpdate(doc, Buffer.from(line, 'base64'), 'file');
    }, 'file');
  }
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'file') appendFileSync(path, `${Buffer.from(update).toString('base64')}\n`);
  });
}
