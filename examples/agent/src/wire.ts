/** What a backend and the parent process tell each other. Bytes are base64. */
export type FromBackend =
  | { readonly type: 'ready' }
  | { readonly type: 'update'; readonly bytes: string }
  | { readonly type: 'awareness'; readonly bytes: string }
  | ({ readonly type: 'view' } & View);

export type ToBackend =
  | { readonly type: 'update'; readonly bytes: string }
  | { readonly type: 'awareness'; readonly bytes: string }
  /** Send all that you have: somebody has come. */
  | { readonly type: 'tell' }
  | { readonly type: 'ask'; readonly content: string }
  | { readonly type: 'stop' }
  | { readonly type: 'continue' };

/** What a backend shows of the last prompt and its answer, after each change. */
export interface View {
  readonly question: string;
  readonly state: string;
  readonly text: string;
  readonly finish_reason: string | null;
  readonly runner: string | null;
  readonly digest: string;
}

export const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
export const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
