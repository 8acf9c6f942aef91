import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { readConfig } from './config.js';

const config = await readConfig();
const root = createRoot(document.getElementById('root') as HTMLElement);
root.render(
  <StrictMode>
    <App config={config} />
  </StrictMode>,
);

// From the first reload on the page itself needs no server.
if ('serviceWorker' in navigator) void navigator.serviceWorker.register('./service-worker.js');
