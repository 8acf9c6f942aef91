/** Which document this page shows, and where its server is. */
export interface Config {
  readonly doc_id: string;
  readonly url: string;
}

const KEY = 'offline-chat:config';

/** From the server, or as it was known last. */
export async function readConfig(): Promise<Config> {
  try {
    const config = (await (await fetch('./config.json')).json()) as Config;
    localStorage.setItem(KEY, JSON.stringify(config));
    return config;
  } catch (error) {
    const known = localStorage.getItem(KEY);
    if (known === null) throw error;
    return JSON.parse(known) as Config;
  }
}

const NAME = 'offline-chat:name';
const NAMES = ['Ada', 'Grace', 'Linus', 'Margaret', 'Dennis', 'Barbara'];

/** `?name=` in the address, else what was chosen on this device, else one of six. */
export function readName(): string {
  const given = new URL(location.href).searchParams.get('name');
  const name =
    given ?? localStorage.getItem(NAME) ?? (NAMES[Math.floor(Math.random() * NAMES.length)] as string);
  if (given === null) localStorage.setItem(NAME, name);
  return name;
}
