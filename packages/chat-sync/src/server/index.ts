export { DocumentFolder, type FolderFile } from './document-folder.js';
export { FileExtension, type FileExtensionOptions } from './file-extension.js';
export {
  type ChatServer,
  type PortFault,
  type Served,
  type ServeOptions,
  serveFolder,
} from './serve-folder.js';
