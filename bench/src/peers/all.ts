import type { Fixtures } from '../chat/fixtures.js';
import type { Subject } from '../measure/pair.js';
import { progress } from '../measure/progress.js';
import { chatdocPeer } from './chatdoc.js';
import { jsonLinesPeer } from './json-lines.js';
import { loroListsPeer, loroPeer } from './loro.js';
import { nestedPeer } from './nested.js';
import { checkPeer, type Peer, type PeerChat } from './peer.js';
import { tinybasePeer } from './tinybase.js';

type PeerName = 'chatdoc' | 'loro' | 'loroLists' | 'nested' | 'tinybase' | 'jsonLines';

const CHECKED = new WeakMap<Fixtures, Set<number>>();

/** Every peer's chat of that size as something to time. All of them were seen to show the same. */
export function peerSubjects(
  fixtures: Fixtures,
  size: number,
  work: <M>(peer: Peer<M>, bytes: Uint8Array) => PeerChat<M>,
): readonly Subject[] {
  const checked = CHECKED.get(fixtures) ?? new Set<number>();
  CHECKED.set(fixtures, checked);
  const subject = <M>(name: PeerName, peer: Peer<M>): Subject => {
    const bytes = peer.bytes(fixtures, size);
    if (!checked.has(size)) {
      progress(`${peer.name}: comparing what it shows of ${size} messages`);
      checkPeer(peer, fixtures, size);
    }
    return {
      name,
      prepare: () => () => work(peer, bytes),
      free: (chat) => (chat as PeerChat<M>).close?.(),
    };
  };
  const subjects = [
    subject('chatdoc', chatdocPeer),
    subject('loro', loroPeer),
    subject('loroLists', loroListsPeer),
    subject('nested', nestedPeer),
    subject('tinybase', tinybasePeer),
    subject('jsonLines', jsonLinesPeer),
  ];
  checked.add(size);
  return subjects;
}
