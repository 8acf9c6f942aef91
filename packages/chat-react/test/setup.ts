import { JSDOM } from 'jsdom';
import { populateGlobal } from 'vitest/runtime';

// One document for all files of a worker: making it takes longer than most of the tests.
if (globalThis.document === undefined) {
  const { window } = new JSDOM('<!doctype html>', { url: 'http://localhost/', pretendToBeVisual: true });
  populateGlobal(globalThis, window, { bindFunctions: true });
}

// React warns of what happens outside of `act` only where this is set.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
