/** What a backend and the parent process tell each other. The document itself goes through its file. */
export type FromBackend =
  | { readonly type: 'ready' }
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  | ({ readonly type: 'view' } & View);

export type ToBackend =
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  /** Say that you are here: somebody has come. */
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
