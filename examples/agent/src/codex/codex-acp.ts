import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentCommand } from '@chatdoc/turns/acp';

/** The real Codex, as an ACP agent: https://github.com/zed-industries/codex-acp. */
export const PACKAGE = '@zed-industries/codex-acp';
export const VERSION = '0.16.0';

/** Not a dependency: it weighs 230 MB. */
const INSTALLED: string = fileURLToPath(new URL('../../node_modules/.cache/codex-acp', import.meta.url));

/**
 * The program itself: the script that npm puts in front of it waits without passing signals on, so that a killed
 * agent would live. Undefined where it is not installed.
 */
export function findCodex(): string | undefined {
  const program = process.platform === 'win32' ? 'codex-acp.exe' : 'codex-acp';
  const path = join(
    INSTALLED,
    'node_modules',
    `${PACKAGE}-${process.platform}-${process.arch}`,
    'bin',
    program,
  );
  return existsSync(path) ? path : undefined;
}

/** Installs it from npm, beside this package. Undefined if that fails; npm has said why. */
export function installCodex(): string | undefined {
  mkdirSync(INSTALLED, { recursive: true });
  const flags = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
  const stdio: ['ignore', 'ignore', 'inherit'] = ['ignore', 'ignore', 'inherit'];
  spawnSync('npm', ['install', '--prefix', INSTALLED, ...flags, `${PACKAGE}@${VERSION}`], { stdio });
  return findCodex();
}

/** A home of its own in `folder`, where the model is the one at `modelUrl`: nothing of the user's is read or written. */
export function prepareCodex(command: string, folder: string, modelUrl: string): AgentCommand {
  const [home, workspace, temporary] = ['home', 'workspace', 'tmp'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const codexHome = join(home, '.codex');
  for (const path of [codexHome, workspace, temporary]) mkdirSync(path, { recursive: true });
  writeFileSync(join(codexHome, 'config.toml'), writeConfig(workspace, modelUrl));
  return {
    command,
    cwd: workspace,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      CODEX_HOME: codexHome,
      TMPDIR: temporary,
      RUST_LOG: 'off',
      MODEL_KEY: 'none',
    },
  };
}

function writeConfig(workspace: string, modelUrl: string): string {
  // A model that it does not know would put a warning into every answer.
  return `model = "gpt-5.4-mini"
model_provider = "script"
approval_policy = "on-request"
sandbox_mode = "workspace-write"
web_search = "disabled"
check_for_update_on_startup = false
[analytics]
enabled = false
[projects.${JSON.stringify(workspace)}]
trust_level = "trusted"
[model_providers.script]
name = "script"
base_url = ${JSON.stringify(modelUrl)}
wire_api = "responses"
env_key = "MODEL_KEY"
request_max_retries = 0
stream_max_retries = 0
`;
}
