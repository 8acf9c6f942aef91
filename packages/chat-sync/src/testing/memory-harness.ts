import { MemoryMedium, memoryStorage } from '../storage/index.js';
import { FaultPlan, withFaults } from './fault-plan.js';
import { SAMPLE_NAME } from './sample-chat.js';
import type { StorageHarness } from './storage-harness.js';

interface FaultyMedium {
  readonly memory: MemoryMedium;
  readonly plan: FaultPlan;
}

/** `memoryStorage` under test: the harness that has every fault. */
export const memoryHarness: StorageHarness<FaultyMedium> = {
  name: 'memory',
  create: async () => ({ memory: new MemoryMedium(), plan: new FaultPlan() }),
  open: ({ memory, plan }) => withFaults(memoryStorage({ name: SAMPLE_NAME, medium: memory }), plan),
  faults: {
    async corruptRow({ memory }, index, change) {
      const [row, stored] = rowAt(memory, index);
      memory.rows.set(row, { ...stored, bytes: change(stored.bytes) });
    },
    async removeRow({ memory }, index) {
      memory.rows.delete(rowAt(memory, index)[0]);
    },
    async abortWrite({ plan }) {
      plan.failNextWrite('aborted');
    },
    async limitRoom({ plan }, isFull) {
      plan.failAll('append', isFull ? 'quota' : null);
      plan.failAll('replace', isFull ? 'quota' : null);
    },
    async hangLoads({ plan }, hangs) {
      plan.hang('load', hangs);
    },
    async hideMedium({ plan }, isHidden) {
      plan.failAll('load', isHidden ? 'unavailable' : null);
    },
  },
};

function rowAt(memory: MemoryMedium, index: number): [number, { bytes: Uint8Array; checksum: number }] {
  const entry = [...memory.rows][index];
  if (entry === undefined) throw new Error(`expected a row at ${index}`);
  return entry;
}
