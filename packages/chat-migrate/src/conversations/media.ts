import type { Json, JsonObject } from '@chatdoc/schema';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { isJsonArray } from '../source/json-value.js';

/** The record of a picture, a signature or encrypted text: the backup of the source has the bytes. */
export function describeOmitted(text: string, type: string): JsonObject {
  const match = DATA_URL.exec(text.slice(0, 200));
  const encoded = match === null ? text : text.slice(match[0].length);
  return {
    omitted: true,
    type: match?.[1] ?? type,
    size: Math.floor((encoded.replace(/=+$/, '').length * 3) / 4),
    sha256: bytesToHex(sha256(new TextEncoder().encode(encoded))),
  };
}

const DATA_URL = /^data:([^;,]{1,100})[^,]*;base64,/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
/** Shorter ones are not worth it, and may be words. */
const MIN_LENGTH = 1024;
const MAX_DEPTH = 64;

/** Whether a text is binary data in the letters of base64. */
export function isMedia(text: string): boolean {
  if (DATA_URL.test(text.slice(0, 200))) return true;
  if (text.length < MIN_LENGTH) return false;
  return (
    !text.slice(0, MIN_LENGTH).includes(' ') && BASE64.test(text.slice(0, MIN_LENGTH)) && BASE64.test(text)
  );
}

export class MediaFilter {
  /** How many texts were left out. */
  count = 0;

  /** The value without binary data: of each, type, size and hash remain. */
  strip(value: Json, depth: number = MAX_DEPTH): Json {
    if (typeof value === 'string') {
      if (!isMedia(value)) return value;
      this.count += 1;
      return describeOmitted(value, 'application/octet-stream');
    }
    if (typeof value !== 'object' || value === null || depth === 0) return value;
    if (isJsonArray(value)) return value.map((item) => this.strip(item, depth - 1));
    return this.stripMembers(value, depth);
  }

  stripMembers(value: JsonObject, depth: number = MAX_DEPTH): JsonObject {
    const type = value['media_type'] ?? value['mimeType'];
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => {
        const isOpaque = typeof child === 'string' && OPAQUE.has(key) && child.length >= MIN_LENGTH;
        const isTyped = key === 'data' && typeof child === 'string' && typeof type === 'string';
        if (!isOpaque && !isTyped) return [key, this.strip(child, depth - 1)];
        this.count += isTyped ? 1 : 0;
        return [key, describeOmitted(child, typeof type === 'string' ? type : key)];
      }),
    );
  }
}

const OPAQUE: ReadonlySet<string> = new Set(['signature', 'encrypted_content']);
