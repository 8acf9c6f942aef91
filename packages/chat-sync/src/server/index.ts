export { DocumentFolder, type FolderCopies, type FolderFile } from './document-folder.js';
export { FileExtension, type FileExtensionOptions } from './file-extension.js';
export { type FolderWatch, watchFolder } from './folder-watch.js';
export type { UnsavedRoom } from './room-file.js';
export {
  type ChatServer,
  type ClosedServer,
  type PortFault,
  type Served,
  type ServeOptions,
  serveFolder,
} from './serve-folder.js';
