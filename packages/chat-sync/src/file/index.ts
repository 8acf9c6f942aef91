export { createFile, moveFile, type ReadFile, readFile, replaceFile, type WroteFile } from './atomic.js';
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
export { type FileEnvironment, nodeFileEnvironment } from './file-environment.js';
export { describeFault, type FileFault, type FileFaultCode } from './file-fault.js';
export { type FileHandle, type FileStat, type FileSystem, nodeFileSystem } from './fs.js';
export type { OpenReport } from './load-updates.js';
export {
  type CreateChatFileOptions,
  createChatFile,
  type OpenChatFileOptions,
  openChatFile,
} from './open-chat-file.js';
export { type Recovered, recoverChatFile } from './recover.js';
export { removeLeftovers } from './side-file.js';
