/** What a consumer of the published packages compiles, and how the answers of the compiler are read. */

/** A published package: its name, its entries, what it asks its consumer to install. */
export interface Published {
  readonly name: string;
  readonly folder: string;
  /** `@chatdoc/sync`, `@chatdoc/sync/file`, … */
  readonly entries: readonly string[];
  readonly peers: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Undefined for a package that is not published. */
export function readPublished(folder: string, manifest: Manifest): Published | undefined {
  if (manifest.private === true) return undefined;
  const { name, exports = {}, peerDependencies = {}, devDependencies = {} } = manifest;
  const keys = Object.keys(exports).filter((key) => !key.endsWith('.json'));
  // The version that the workspace tests with, where it names one.
  const peers = Object.entries(peerDependencies)
    .filter(([peer]) => !peer.startsWith('@chatdoc/'))
    .map(([peer, range]) => [peer, devDependencies[peer] ?? range]);
  return {
    name,
    folder,
    entries: keys.map((key) => `${name}${key.slice(1)}`),
    peers: Object.fromEntries(peers),
  };
}

/** A program that imports every entry, and fails if one exports nothing. */
export function writeUser(entries: readonly string[]): string {
  const imports = entries.map((entry, i) => `import * as entry${i} from '${entry}';\n`).join('');
  const list = entries.map((_, i) => `  entry${i},\n`).join('');
  return `${imports}\nfor (const entry of [\n${list}]) {\n  if (Object.keys(entry).length === 0) throw new Error('an entry exports nothing');\n}\n`;
}

/** Classes that only the library makes. */
export const CLOSED_CLASSES = ['Chat', 'PartWriter', 'AttemptWriter', 'Inspector'] as const;

export function writeIntruder(name: string): string {
  return `import { ${name} } from '@chatdoc/schema';\n\nexport const made = new ${name}();\n`;
}

/** That the constructor is private or protected, the class abstract, the name a type or not there at all. */
const CLOSED_CODES: ReadonlySet<string> = new Set([
  'TS2673',
  'TS2674',
  'TS2511',
  'TS1361',
  'TS1362',
  'TS2693',
  'TS2305',
  'TS2724',
]);

export interface Diagnostic {
  readonly file: string;
  readonly code: string;
  readonly text: string;
}

/** The errors that tsc prints with `--pretty false`, one line each. */
export function readDiagnostics(output: string): readonly Diagnostic[] {
  return output.split('\n').flatMap((line) => {
    const match = /^(?:(.+?)\(\d+,\d+\): )?error (TS\d+): /.exec(line);
    return match === null ? [] : [{ file: match[1] ?? '', code: match[2] ?? '', text: line }];
  });
}

/** Errors in the consumer or in our packages; what other packages publish is theirs. */
export function findOurs(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(
    ({ file }) => !file.includes('node_modules/') || /node_modules\/(?:@chatdoc|chatdoc)\//.test(file),
  );
}

/** Classes whose program compiles, or fails only for the arguments that it lacks. */
export function findOpen(diagnostics: readonly Diagnostic[]): readonly string[] {
  return CLOSED_CLASSES.filter(
    (name) => !diagnostics.some(({ file, code }) => file.endsWith(`${name}.ts`) && CLOSED_CODES.has(code)),
  );
}
