import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../workspace.js';
import {
  CLOSED_CLASSES,
  findOpen,
  findOurs,
  type Manifest,
  type Published,
  readDiagnostics,
  readPublished,
  writeIntruder,
  writeUser,
} from './programs.js';

/**
 * Packs the published packages, installs them in an empty folder as a consumer does, compiles programs against them
 * with three versions of TypeScript and both kinds of resolution, types of libraries checked, and runs one. Run with
 * `pnpm consumer` after `pnpm build`; without the registry it says that it was skipped.
 */

const COMPILERS: Readonly<Record<string, string>> = {
  'typescript-5.9': 'npm:typescript@~5.9.3',
  'typescript-6.0': 'npm:typescript@~6.0.3',
  'typescript-7.0': 'npm:typescript@~7.0.2',
};

/** Types that the types of the packages or of their peers need. */
const TYPES: Readonly<Record<string, string>> = {
  '@types/node': '^20.19.0',
  '@types/react': '^19.0.0',
  '@types/ws': '^8.18.0',
};

const RESOLUTIONS = {
  NodeNext: { module: 'NodeNext', moduleResolution: 'NodeNext' },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
} as const;

const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT/;

interface Ran {
  readonly code: number;
  readonly output: string;
}

function run(command: string, args: readonly string[], cwd: string): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { code: status ?? 1, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

function listPublished(): readonly Published[] {
  return readdirSync(join(ROOT, 'packages')).flatMap((name) => {
    const folder = join(ROOT, 'packages', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    return readPublished(folder, manifest) ?? [];
  });
}

/** The tarball of a package as it would be published. */
function pack({ name, folder }: Published, target: string): string {
  if (!existsSync(join(folder, 'dist/index.d.ts'))) throw new Error(`${name} is not built: run pnpm build`);
  const before = new Set(readdirSync(target));
  const { code, output } = run('pnpm', ['pack', '--pack-destination', target], folder);
  const [file] = readdirSync(target).filter((one) => !before.has(one));
  if (code !== 0 || file === undefined) throw new Error(`cannot pack ${name}: ${output}`);
  return join(target, file);
}

/** A consumer in a folder of its own. */
interface Consumer {
  readonly name: string;
  readonly packages: readonly Published[];
  /** Libraries that come with the platform: a browser has no types of Node. */
  readonly types: readonly string[];
}

type Outcome = { readonly ok: true } | { readonly ok: false; readonly lines: readonly string[] };

const passed: Outcome = { ok: true };

function install({ packages }: Consumer, folder: string, tarballs: ReadonlyMap<string, string>): Ran {
  mkdirSync(folder);
  const ours = packages.map(({ name }) => [name, `file:${tarballs.get(name)}`]);
  const dependencies = Object.assign({}, ...packages.map(({ peers }) => peers), Object.fromEntries(ours));
  const manifest = {
    private: true,
    type: 'module',
    dependencies,
    devDependencies: { ...COMPILERS, ...TYPES },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], folder);
}

function writePrograms({ packages, types }: Consumer, folder: string): void {
  mkdirSync(join(folder, 'closed'));
  writeFileSync(join(folder, 'user.ts'), writeUser(packages.flatMap(({ entries }) => entries)));
  cpSync(join(ROOT, 'examples/first-chat/src/main.ts'), join(folder, 'first-chat.ts'));
  for (const name of CLOSED_CLASSES) writeFileSync(join(folder, `closed/${name}.ts`), writeIntruder(name));
  for (const [resolution, options] of Object.entries(RESOLUTIONS)) {
    for (const [name, include] of [
      ['open', ['*.ts']],
      ['closed', ['closed/*.ts']],
    ] as const) {
      const compilerOptions = {
        ...options,
        target: 'ES2022',
        lib: ['ES2022', 'DOM'],
        types,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        rootDir: '.',
        outDir: 'out',
      };
      writeFileSync(join(folder, `${name}-${resolution}.json`), JSON.stringify({ compilerOptions, include }));
    }
  }
}

function compile(folder: string, compiler: string, config: string): Ran {
  const program = join('node_modules', compiler, 'bin/tsc');
  return run(process.execPath, [program, '--pretty', 'false', '-p', `${config}.json`], folder);
}

/** That what is for consumers compiles, library types included. */
function checkOpen(folder: string, compiler: string, resolution: string): Outcome {
  const { code, output } = compile(folder, compiler, `open-${resolution}`);
  const diagnostics = readDiagnostics(output);
  const ours = findOurs(diagnostics);
  if (code === 0 || (ours.length === 0 && diagnostics.length > 0)) return passed;
  return { ok: false, lines: ours.length > 0 ? ours.map(({ text }) => text) : [output] };
}

/** That no consumer makes what only the library makes. */
function checkClosed(folder: string, compiler: string, resolution: string): Outcome {
  const { output } = compile(folder, compiler, `closed-${resolution}`);
  const open = findOpen(readDiagnostics(output));
  return open.length === 0 ? passed : { ok: false, lines: open.map((name) => `new ${name}(…) compiles`) };
}

function runProgram(folder: string, program: string): Outcome {
  const { code, output } = run(process.execPath, [program], folder);
  return code === 0 ? passed : { ok: false, lines: [output] };
}

function checkConsumer(consumer: Consumer, folder: string): Outcome[] {
  writePrograms(consumer, folder);
  const report = (name: string, outcome: Outcome): Outcome => {
    console.log(`${outcome.ok ? 'passed' : 'FAILED'}  ${consumer.name}: ${name}`);
    if (!outcome.ok) for (const line of outcome.lines.slice(0, 10)) console.log(`        ${line}`);
    return outcome;
  };
  const outcomes = Object.keys(COMPILERS).flatMap((compiler) =>
    Object.keys(RESOLUTIONS).flatMap((resolution) => [
      report(`${compiler} ${resolution}, every entry`, checkOpen(folder, compiler, resolution)),
      report(`${compiler} ${resolution}, closed classes`, checkClosed(folder, compiler, resolution)),
    ]),
  );
  const programs = ['out/user.js', 'out/first-chat.js'].filter((path) => existsSync(join(folder, path)));
  return [...outcomes, ...programs.map((path) => report(`node ${path}`, runProgram(folder, path)))];
}

/** Returns the exit code. */
function main(): number {
  const target = mkdtempSync(join(tmpdir(), 'chatdoc-consumer-'));
  try {
    const published = listPublished();
    const tarballs = new Map(published.map((one) => [one.name, pack(one, target)]));
    const consumers: readonly Consumer[] = [
      { name: 'all packages', packages: published, types: ['node'] },
      {
        name: 'schema in a browser',
        packages: published.filter(({ name }) => name === '@chatdoc/schema'),
        types: [],
      },
    ];
    const outcomes: Outcome[] = [];
    for (const [i, consumer] of consumers.entries()) {
      const folder = join(target, `consumer-${i}`);
      const { code, output } = install(consumer, folder, tarballs);
      if (code !== 0 && OFFLINE.test(output)) {
        console.log('consumer: skipped, the registry is out of reach');
        return 0;
      }
      if (code !== 0) throw new Error(`cannot install ${consumer.name}: ${output}`);
      outcomes.push(...checkConsumer(consumer, folder));
    }
    const failed = outcomes.filter(({ ok }) => !ok).length;
    console.log(`consumer: ${outcomes.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    if (process.env['KEEP'] === undefined) rmSync(target, { recursive: true });
    else console.log(target);
  }
}

process.exitCode = main();
