import type { Json, JsonObject, Part } from '@chatdoc/schema';
import { canonicalText, isJsonObject } from '../source/json-value.js';

/** The table of attachments. One that several messages have is in it once. */
export class JupyterAttachments {
  readonly #byName = new Map<string, Json>();

  /** One that was in the table of the old file, used or not. */
  keep(name: string, attachment: Json): void {
    if (!this.#byName.has(name)) this.#byName.set(name, attachment);
  }

  /** Returns the name of the file of a message in the table. */
  add(part: Part, messageName: string): string {
    const attachment = writeAttachment(part);
    const text = canonicalText(attachment);
    const wanted = part.part_id ?? `file-${part.n}`;
    let name = wanted;
    for (let copy = 1; ; copy += 1) {
      const known = this.#byName.get(name);
      if (known === undefined || canonicalText(known) === text) break;
      // Names count within a message only, where they were not those of a table.
      name = copy === 1 ? `${messageName}-${wanted}` : `${messageName}-${wanted}-${copy}`;
    }
    this.#byName.set(name, attachment);
    return name;
  }

  toJSON(): JsonObject {
    return Object.fromEntries(this.#byName);
  }
}

function writeAttachment({ data, title, part_id }: Part): JsonObject {
  if (isJsonObject(data)) return data;
  return { type: 'file', value: title ?? part_id ?? '', ...(data === undefined ? {} : { data }) };
}
