export {
  type Connection,
  type ConnectionStatus,
  type ConnectOptions,
  connect,
  type Rebuilding,
  type Rebuilt,
} from './connection.js';
export type { ConnectionState } from './connection-state.js';
