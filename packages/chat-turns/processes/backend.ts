import { openPresence } from '@chatdoc/sync';
import { TurnEngine } from '@chatdoc/turns';
import { createWriter } from './answers.js';
import { connect } from './connection.js';
import { LEASE_MS, onOrder, tell } from './wire.js';

/** A runner: `backend.ts URL NAME CLAIM_DELAY`. It keeps nothing but what the hub has. */
const [, , url = '', name = '', claimDelay = '0'] = process.argv;

const { chat, awareness, onSynced, look } = connect(url);
const liveness = openPresence(awareness, { user: { user_id: name }, limits: { lease: LEASE_MS / 2 } });

const engine = new TurnEngine({ runner_id: name, lease_ms: LEASE_MS });
engine.subscribe((event) => {
  if (event.type === 'fault') tell({ type: 'broken', law: `${name} serves no more: ${String(event.error)}` });
});
const agent = createWriter();
const service = engine.serve(chat, {
  agentFor: () => ({ agent, sender_id: 'writer' }),
  liveness,
  claim_delay_ms: Number(claimDelay),
});
onSynced((isSynced) => service.setSynced(isSynced));
onOrder(look);
tell({ type: 'ready' });
