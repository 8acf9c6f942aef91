import { act, createElement, type ReactElement, StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';

export interface Rendered {
  readonly container: HTMLElement;
  /** Text of the elements that match. */
  texts(selector: string): readonly string[];
  render(element: ReactElement): void;
  unmount(): void;
}

/** Renders under StrictMode. */
export function render(element: ReactElement): Rendered {
  const container = document.createElement('div');
  const root = createRoot(container);
  return control(container, root, element);
}

/** The same over what a server has rendered. */
export function hydrate(html: string, element: ReactElement, onError: (error: unknown) => void): Rendered {
  const container = document.createElement('div');
  container.innerHTML = html;
  let root: ReturnType<typeof hydrateRoot> | undefined;
  act(() => {
    root = hydrateRoot(container, createElement(StrictMode, null, element), { onRecoverableError: onError });
  });
  return control(container, root as ReturnType<typeof hydrateRoot>);
}

interface Root {
  render(element: ReactElement): void;
  unmount(): void;
}

function control(container: HTMLElement, root: Root, first?: ReactElement): Rendered {
  const draw = (element: ReactElement): void =>
    act(() => root.render(createElement(StrictMode, null, element)));
  if (first !== undefined) draw(first);
  return {
    container,
    texts: (selector) => Array.from(container.querySelectorAll(selector), (node) => node.textContent ?? ''),
    render: draw,
    unmount: () => act(() => root.unmount()),
  };
}

/** `act` with the result of what it runs. */
export function perform<T>(work: () => T): T {
  let result: T | undefined;
  act(() => {
    result = work();
  });
  return result as T;
}

/** What React complained of while `work` ran. */
export async function collectComplaints(work: () => void | Promise<void>): Promise<readonly string[]> {
  const complaints: string[] = [];
  const { error, warn } = console;
  const keep = (...values: unknown[]): void => {
    complaints.push(values.map(String).join(' '));
  };
  console.error = keep;
  console.warn = keep;
  try {
    await work();
  } finally {
    console.error = error;
    console.warn = warn;
  }
  return complaints;
}
