export { EXIT, type ExitCode } from './exit-codes.js';
export type { Io, OutputStream } from './io.js';
export { run } from './run.js';
export { renderTranscript, type TranscriptOptions } from './say/transcript.js';
