import { join } from 'node:path';
import ts from 'typescript';
import { plant } from '../mutant.js';
import type { Place } from './draw.js';

/** Checks single files of the workspace as they would be with a mutation, in memory. */
export interface Compiler {
  /** The first thing that `tsc` says about the mutated file, or undefined if it accepts it. */
  check(place: Place): string | undefined;
}

export function createCompiler(root: string): Compiler {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
      },
    },
  );
  if (config === undefined) throw new Error('tsconfig.json cannot be read');
  const mutated = new Map<string, string>();
  const versions = new Map<string, number>();
  const service = ts.createLanguageService({
    getCompilationSettings: () => config.options,
    getScriptFileNames: () => config.fileNames,
    getScriptVersion: (path) => String(versions.get(path) ?? 0),
    getScriptSnapshot: (path) => {
      const text = mutated.get(path) ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  const setText = (path: string, text: string | undefined): void => {
    if (text === undefined) mutated.delete(path);
    else mutated.set(path, text);
    versions.set(path, (versions.get(path) ?? 0) + 1);
  };
  return {
    check({ file, find, replace }) {
      const path = join(root, file);
      const source = ts.sys.readFile(path) ?? '';
      setText(path, plant({ name: 'random', file, find, replace, breaks: '', killers: [] }, source));
      const [first] = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)];
      setText(path, undefined);
      return first === undefined
        ? undefined
        : `TS${first.code} ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`;
    },
  };
}
