import { vi } from 'vitest';

/** All that connect.test.ts says, with the provider of Hocuspocus 4. */
vi.mock('@hocuspocus/provider', async () => await import('hocuspocus-provider-4'));

await import('./connect.test.js');
