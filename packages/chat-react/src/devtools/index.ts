export {
  connectDevTools,
  type DevToolsConnection,
  type DevToolsExtension,
  type DevToolsHandle,
  type DevToolsMessage,
  type DevToolsOptions,
  type LoggedAction,
} from './connect-devtools.js';
