import { INTEGRITY } from './integrity.js';
import { MIGRATE } from './migrate.js';
import type { Mutant } from './mutant.js';
import { SCHEMA } from './schema.js';
import { SYNC } from './sync.js';
import { TURNS } from './turns.js';

/** Every mutant. Another file of them is added here. */
export const MUTANTS: readonly Mutant[] = [...SCHEMA, ...SYNC, ...MIGRATE, ...TURNS, ...INTEGRITY];
