import { it } from 'vitest';

type Work = () => void | Promise<void>;

export interface Parts {
  /** As `it`. */
  test(name: string, work: Work): void;
  /** Does what the tests above do, unless it was done; throws as they do. */
  all(): Promise<void>;
}

/**
 * Tests that mark what they have met, for one behind them about the marks: it does their work where it runs alone or
 * before them, and nothing where they have run.
 */
export function createParts(): Parts {
  const parts: Work[] = [];
  return {
    test(name, work) {
      let done: Promise<void> | undefined;
      const part = (): Promise<void> => {
        done ??= (async () => work())();
        return done;
      };
      parts.push(part);
      it(name, part);
    },
    async all() {
      for (const part of parts) await part();
    },
  };
}
