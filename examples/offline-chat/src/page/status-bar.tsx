import { useConnection, usePresence } from '@chatdoc/react';
import type { Connection, ConnectionStatus } from '@chatdoc/sync/client';
import { IntegrityPanel } from './integrity-panel.js';

interface StatusBarProps {
  readonly connection: Connection;
  readonly name: string;
  readonly isOffline: boolean;
  toggle(): Promise<void>;
}

export function StatusBar({ connection, name, isOffline, toggle }: StatusBarProps) {
  const status = useConnection<ConnectionStatus>(connection);
  const peers = usePresence();
  const others = [...new Set(peers.map((peer) => peer.name ?? peer.user_id))].filter(
    (other) => other !== name,
  );
  const exportLines = (): void => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([connection.chat.toJSONL()], { type: 'application/jsonl' }));
    link.download = 'chat.jsonl';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <header>
      <strong>{name}</strong>
      <span className="others">{others.length === 0 ? '' : `with ${others.join(', ')}`}</span>
      <span className="status" role="status" data-state={isOffline ? 'offline' : status.state}>
        {describe(status, isOffline)}
      </span>
      <label className="switch">
        <input type="checkbox" checked={isOffline} onChange={() => void toggle()} />
        Work offline
      </label>
      <details className="menu">
        <summary>More</summary>
        <div>
          <button type="button" onClick={exportLines}>
            Export as JSON lines
          </button>
          <IntegrityPanel chat={connection.chat} />
        </div>
      </details>
      {status.state === 'refused' && (
        <div className="notice" role="alert">
          The server refused a change ({status.refusal?.code}). Nothing is lost.
          <button type="button" onClick={() => void connection.rebuild()}>
            Try again
          </button>
          <button type="button" onClick={() => void connection.rebuild({ restamp: true })}>
            Send with the time of now
          </button>
          <button type="button" onClick={() => void connection.rebuild({ keep: false })}>
            Leave it out
          </button>
        </div>
      )}
      {status.storage?.fault != null && (
        <div className="notice" role="alert">
          This device could not save ({status.storage.fault}). {status.storage.unsaved} changes are in memory
          only.
        </div>
      )}
    </header>
  );
}

function describe({ state, unsent, storage }: ConnectionStatus, isOffline: boolean): string {
  if (isOffline) return (storage?.unsaved ?? 0) === 0 ? 'offline, saved on this device' : 'offline, saving';
  switch (state) {
    case 'saved':
      return 'saved';
    case 'offline':
    case 'connecting':
      return unsent > 1 ? 'no connection, changes wait' : 'no connection';
    case 'synced':
      return 'saving…';
    default:
      return state;
  }
}
