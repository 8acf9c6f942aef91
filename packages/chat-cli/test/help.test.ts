import { describe, expect, it } from 'vitest';
import { createFolder, runProgram, spawnProgram } from './program.js';

const COMMANDS = [
  'migrate',
  'rollback',
  'show',
  'verify',
  'export',
  'run',
  'stop',
  'serve',
  'watch',
  'repair',
  'compact',
  'recover',
];

describe('help', () => {
  it('[CL1] tells a stranger what there is, with examples and exit codes', async () => {
    const { code, stdout, stderr } = await spawnProgram(['--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    for (const title of ['Usage:', 'Files:', 'Examples:', 'Exit codes:']) expect(stdout).toContain(title);
  });

  it('[CL1] of each command has its options, examples and exit codes, in two ways', async () => {
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await runProgram([command, '--help']);
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout).toContain(`Usage: chatdoc ${command}`);
      expect(stdout).toMatch(/Examples?:\n {2}\$ (?:CHATDOC_\S+ )?chatdoc /);
      expect(stdout).toMatch(/Exit codes:\n {2}0 +/);
      expect((await runProgram(['help', command])).stdout).toBe(stdout);
    }
  });

  it('[CL1] fits in 80 columns, and in a terminal that has fewer', async () => {
    for (const argv of [['--help'], ...COMMANDS.map((command) => [command, '--help'])]) {
      for (const columns of [80, 50]) {
        const { stdout } = await runProgram(argv, { terminal: true, columns });
        expect(stdout.split('\n').filter((line) => line.length > columns)).toEqual([]);
      }
      expect((await runProgram(argv)).stdout).toBe((await runProgram(argv, { terminal: true })).stdout);
    }
  });

  it('[CL1] says of no command that it does what it does not', async () => {
    const { stdout } = await runProgram(['--help']);
    expect(stdout).not.toMatch(/No command/);
    expect(stdout).toContain('An old chat is never changed.');
  });

  it('[CL1] prints the version of the package', async () => {
    const { code, stdout } = await spawnProgram(['--version']);
    expect({ code, stdout: stdout.trim() }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });

  it('[CL2] without a command goes to standard error, with 2', async () => {
    const { code, stdout, stderr } = await spawnProgram([]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: chatdoc');
  });

  it('[CL2] wrong usage ends with 2 and says where the help is', async () => {
    const wrong: [string[], RegExp][] = [
      [['shwo', 'x'], /unknown command 'shwo'[\s\S]*Did you mean show\?[\s\S]*chatdoc --help/],
      [['show'], /missing required argument 'FILE'[\s\S]*chatdoc show --help/],
      [['show', 'a', 'b'], /too many arguments[\s\S]*chatdoc show --help/],
      [['export', 'x'], /required option '--format <FORMAT>'[\s\S]*chatdoc export --help/],
      [['export', 'x', '--format', 'pdf'], /Allowed choices are jsonl, cocalc, jupyter, markdown/],
      [['rollback'], /missing required argument 'PATH'[\s\S]*chatdoc rollback --help/],
      [['verify'], /missing required argument 'PATH'[\s\S]*chatdoc verify --help/],
      [['migrate', '--out'], /argument missing[\s\S]*chatdoc migrate --help/],
      [['migrate', 'x', '--dryrun'], /unknown option '--dryrun'[\s\S]*Did you mean --dry-run\?/],
      [['repair'], /missing required argument 'DOCUMENT'[\s\S]*chatdoc repair --help/],
      [['watch'], /missing required argument 'DOCUMENT\|URL'[\s\S]*chatdoc watch --help/],
      [['run', 'x'], /required option '-a, --agent <COMMAND>'[\s\S]*chatdoc run --help/],
      [['run', 'x', '-a', 'y', '-c', '--prompt', 'z'], /cannot be used with option '-p, --prompt <TEXT>'/],
      [['stop', 'x', '--thread', 'y', '--message', 'z'], /cannot be used with option '-m, --message <ID>'/],
    ];
    for (const [argv, message] of wrong) {
      const { code, stdout, stderr } = await runProgram(argv, { cwd: createFolder() });
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^chatdoc: /);
      expect(stderr).toMatch(message);
    }
  });
});
