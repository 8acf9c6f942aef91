import ts from 'typescript';

/** One small change of a source: what stands from `start` to `end` becomes `text`. */
export interface Mutation {
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const SWAPPED: ReadonlyMap<ts.SyntaxKind, readonly [operator: string, text: string]> = new Map([
  [ts.SyntaxKind.LessThanToken, ['comparison', '<=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['comparison', '<']],
  [ts.SyntaxKind.GreaterThanToken, ['comparison', '>=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['comparison', '>']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['comparison', '!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['comparison', '===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['logic', '||']],
  [ts.SyntaxKind.BarBarToken, ['logic', '&&']],
]);

/** Every mutation of a module, in order. Types, imports and exports have none. */
export function findMutations(path: string, source: string): readonly Mutation[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true);
  const mutations: Mutation[] = [];
  const replace = (operator: string, node: ts.Node, text: string): void => {
    mutations.push({ operator, start: node.getStart(file), end: node.getEnd(), text });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    mutate(node, file, replace);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return mutations.sort((a, b) => a.start - b.start || a.end - b.end);
}

type Replace = (operator: string, node: ts.Node, text: string) => void;

function mutate(node: ts.Node, file: ts.SourceFile, replace: Replace): void {
  if (ts.isBinaryExpression(node)) {
    const swapped = SWAPPED.get(node.operatorToken.kind);
    if (swapped !== undefined) replace(swapped[0], node.operatorToken, swapped[1]);
  } else if (node.kind === ts.SyntaxKind.TrueKeyword) replace('boolean', node, 'false');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) replace('boolean', node, 'true');
  else if (ts.isNumericLiteral(node) && !ts.isPropertyAssignment(node.parent)) {
    const value = Number(node.text);
    if (Number.isSafeInteger(value)) replace('off by one', node, String(value + 1));
  } else if (ts.isContinueStatement(node) && node.label === undefined) replace('jump', node, 'break;');
  else if (ts.isBreakStatement(node) && node.label === undefined && isInLoop(node)) {
    replace('jump', node, 'continue;');
  } else if (ts.isExpressionStatement(node) || ts.isThrowStatement(node)) replace('removal', node, ';');
  const condition = findCondition(node);
  if (condition !== undefined) replace('negation', condition, `!(${condition.getText(file)})`);
}

/** Whether a `break` leaves a loop, and not a `switch`. */
function isInLoop(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined && !ts.isFunctionLike(at); at = at.parent) {
    if (ts.isSwitchStatement(at)) return false;
    if (ts.isIterationStatement(at, false)) return true;
  }
  return false;
}

/** What a statement or expression asks, unless turning its one comparison round is the same. */
function findCondition(node: ts.Node): ts.Expression | undefined {
  let condition: ts.Expression | undefined;
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) condition = node.expression;
  else if (ts.isConditionalExpression(node)) condition = node.condition;
  if (condition === undefined || isKeyword(condition)) return undefined;
  if (ts.isBinaryExpression(condition) && isEquality(condition.operatorToken.kind)) return undefined;
  return condition;
}

function isEquality(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken
  );
}

function isKeyword({ kind }: ts.Expression): boolean {
  return kind === ts.SyntaxKind.TrueKeyword || kind === ts.SyntaxKind.FalseKeyword;
}
