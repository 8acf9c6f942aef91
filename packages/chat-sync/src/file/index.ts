export {
  createFile,
  moveFile,
  type ReadFile,
  readFile,
  removeLeftovers,
  replaceFile,
  type WroteFile,
} from './atomic.js';
export {
  ChatFile,
  type ChatFileOptions,
  type ChatFileState,
  type CompactResult,
  type FlushPolicy,
  type FlushResult,
  type OpenedChatFile,
  type OpenFault,
} from './chat-file.js';
export {
  describeFault,
  type FileEnvironment,
  type FileFault,
  type FileFaultCode,
  type FileHandle,
  type FileStat,
  type FileSystem,
  nodeFileEnvironment,
  nodeFileSystem,
} from './fs.js';
export {
  type CreateChatFileOptions,
  createChatFile,
  type OpenChatFileOptions,
  openChatFile,
} from './open-chat-file.js';
export type { OpenReport } from './read-document.js';
export { type Recovered, recoverChatFile } from './recover.js';
