// Makes the mutants of one file by rules, from its syntax: each lacks one field of a
// message, one comparison, or one check. All of them stand in the text at once, each
// behind a switch (docs/threats.md, "Would the tests notice?").

import ts from "typescript";

export interface Mutant {
  id: number;
  file: string;
  line: number;
  /** The function in which it stands. */
  within: string;
  text: string;
  change: string;
  /** Of the same text and change in the function, from 1. */
  nth: number;
}

/** The mutant without its line, as the list of those that change nothing names it. */
export function keyOf(m: Mutant): string {
  return `${m.file} ${m.within}: ${m.text}: ${m.change}${m.nth > 1 ? ` #${m.nth}` : ""}`;
}

const writes = new Set(["raw", "u8", "u16", "u32", "u64", "lp16", "lp32"]);
const bound = new Set(["info", "additionalData", "salt"]);
const checks = /^(check|verify|compare|must|done|fresh|refuse|want|write)/i;
const choices = /^(filter|some|every|find|findLast|findIndex)$/;
const comparisons = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

interface Insert {
  at: number;
  rank: number;
  order: number;
  text: string;
}

/** The file with all its mutants, which are numbered on from first. */
export function mutate(file: string, text: string, functions: readonly string[], first: number): { text: string; mutants: Mutant[] } {
  const f = new File(file, text, functions, first);
  f.walk(f.tree, "", false);
  const missing = functions.filter((name) => !f.found.has(name));
  if (missing.length > 0) throw new Error(`${file} has no ${missing.join(", ")} any more`);
  return { text: f.altered(), mutants: f.mutants };
}

class File {
  readonly tree: ts.SourceFile;
  readonly mutants: Mutant[] = [];
  readonly found = new Set<string>();
  readonly #inserts: Insert[] = [];
  readonly #done = new Set<ts.Node>();
  readonly #file: string;
  readonly #text: string;
  readonly #functions: readonly string[];
  #next: number;
  #within = "";

  constructor(file: string, text: string, functions: readonly string[], first: number) {
    this.tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    this.#file = file;
    this.#text = text;
    this.#functions = functions;
    this.#next = first;
  }

  /** Walks everything below n, which stands in that function. */
  walk(n: ts.Node, within: string, decides: boolean): void {
    const name = nameOf(n);
    if (name !== "") within = within === "" ? name : `${within}.${name}`;
    const meant = this.#functions.length === 0 || this.#functions.some((f) => within === f || within.startsWith(`${f}.`));
    if (this.#functions.includes(within)) this.found.add(within);
    if (ts.isFunctionLike(n)) decides = chooses(n) || /^(Promise<)?boolean>?$/.test(n.type?.getText() ?? "");
    this.#within = within;
    if (meant) this.#visit(n, decides);
    n.forEachChild((child) => this.walk(child, within, decides));
  }

  #visit(n: ts.Node, decides: boolean): void {
    if (ts.isTypeNode(n)) return;
    if (ts.isIfStatement(n)) this.#condition(n.expression);
    else if (ts.isConditionalExpression(n)) this.#condition(n.condition);
    else if (ts.isForStatement(n) && n.condition) this.#leave(n.condition); // how often, not whether
    else if (ts.isWhileStatement(n) || ts.isDoStatement(n)) this.#leave(n.expression);
    else if (ts.isReturnStatement(n) && n.expression && decides) this.#condition(n.expression);
    else if (ts.isArrowFunction(n) && !ts.isBlock(n.body) && decides) this.#condition(n.body);
    else if (ts.isBinaryExpression(n) && !this.#done.has(n) && (comparisons.has(n.operatorToken.kind) || (isChain(n) && operands(n).every(looksBoolean)))) this.#condition(n);
    else if (ts.isExpressionStatement(n)) this.#statement(n);
    else if (ts.isCallExpression(n)) this.#call(n);
    else if (ts.isPropertyAssignment(n) && bound.has(n.name.getText())) this.#emptied(n.initializer);
  }

  /** The mutants of a condition: without one operand of a chain; otherwise always and never. */
  #condition(e: ts.Expression): void {
    const inner = this.#bare(e);
    if (isChain(inner)) {
      const and = inner.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken;
      for (const side of [inner.left, inner.right]) {
        if (isChain(peeled(side))) {
          this.#condition(side);
          continue;
        }
        this.#bare(side);
        if (and) this.#wrap(side, `(__mutants.is(${this.#mutant(side, "is true")}) || (`, "))");
        else this.#wrap(side, `(!__mutants.is(${this.#mutant(side, "is false")}) && (`, "))");
      }
      return;
    }
    if (inner.kind === ts.SyntaxKind.TrueKeyword || inner.kind === ts.SyntaxKind.FalseKeyword) return;
    const [yes, no] = [this.#mutant(inner, "is true"), this.#mutant(inner, "is false")];
    this.#wrap(inner, `(__mutants.is(${yes}) || !__mutants.is(${no}) && (`, "))");
  }

  /** Takes brackets and negations away, and leaves what is in them to whoever asked. */
  #bare(e: ts.Expression): ts.Expression {
    this.#done.add(e);
    if (ts.isParenthesizedExpression(e)) return this.#bare(e.expression);
    if (ts.isPrefixUnaryExpression(e) && e.operator === ts.SyntaxKind.ExclamationToken) return this.#bare(e.operand);
    return e;
  }

  #leave(n: ts.Node): void {
    this.#done.add(n);
    n.forEachChild((child) => this.#leave(child));
  }

  /** A check that throws, or a writer, whose result nobody looks at. */
  #statement(n: ts.ExpressionStatement): void {
    const e = ts.isAwaitExpression(n.expression) ? n.expression.expression : n.expression;
    if (ts.isCallExpression(e) && checks.test(calledName(e))) this.#wrap(n, `{ if (!__mutants.is(${this.#mutant(n, "is left out")})) { `, " } }"); // in brackets: an else may follow
  }

  #call(n: ts.CallExpression): void {
    if (ts.isPropertyAccessExpression(n.expression) && writes.has(n.expression.name.text) && n.arguments.length === 1) {
      const before = n.expression.expression;
      if (!/^(r|reader|this|\$state)$/.test(before.getText())) {
        const field = this.#mutant(n.arguments[0]!, "is left out");
        this.#wrap(before, `__mutants.skip(${field}, `, ")");
      }
    }
    if (calledName(n) === "concat") for (const part of n.arguments) if (!ts.isSpreadElement(part)) this.#emptied(part);
  }

  #emptied(part: ts.Expression): void {
    this.#wrap(part, `__mutants.none(${this.#mutant(part, "is left out")}, `, ")");
  }

  #mutant(n: ts.Node, change: string): number {
    const text = short(n.getText());
    const within = this.#within;
    const nth = 1 + this.mutants.filter((m) => m.within === within && m.text === text && m.change === change).length;
    const line = this.tree.getLineAndCharacterOfPosition(n.getStart()).line + 1;
    this.mutants.push({ id: this.#next, file: this.#file, line, within, text, change, nth });
    return this.#next++;
  }

  #wrap(n: ts.Node, before: string, after: string): void {
    const [start, end] = [n.getStart(), n.getEnd()];
    const around = this.#text.length - (end - start);
    const order = this.#inserts.length;
    this.#inserts.push({ at: start, rank: around, order, text: before }, { at: end, rank: -around, order: -order, text: after });
  }

  altered(): string {
    let out = "";
    let from = 0;
    for (const i of this.#inserts.sort((a, b) => a.at - b.at || a.rank - b.rank || a.order - b.order)) {
      out += this.#text.slice(from, i.at) + i.text;
      from = i.at;
    }
    return out + this.#text.slice(from);
  }
}

function nameOf(n: ts.Node): string {
  if ((ts.isFunctionDeclaration(n) || ts.isMethodDeclaration(n) || ts.isClassDeclaration(n) || ts.isGetAccessor(n)) && n.name) return n.name.getText();
  if (ts.isConstructorDeclaration(n)) return "constructor";
  if (ts.isVariableDeclaration(n) && ts.isSourceFile(n.parent.parent.parent)) return n.name.getText();
  return "";
}

/** Says of each of many whether it is meant. */
function chooses(n: ts.Node): boolean {
  return ts.isCallExpression(n.parent) && n.parent.arguments[0] === n && choices.test(calledName(n.parent));
}

type Chain = ts.BinaryExpression;

function isChain(e: ts.Node): e is Chain {
  return ts.isBinaryExpression(e) && (e.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken || e.operatorToken.kind === ts.SyntaxKind.BarBarToken);
}

function operands(e: ts.Expression): ts.Expression[] {
  const inner = peeled(e);
  return isChain(inner) ? [...operands(inner.left), ...operands(inner.right)] : [inner];
}

function looksBoolean(e: ts.Expression): boolean {
  if (ts.isPrefixUnaryExpression(e)) return e.operator === ts.SyntaxKind.ExclamationToken;
  return ts.isBinaryExpression(e) && comparisons.has(e.operatorToken.kind);
}

function peeled(e: ts.Expression): ts.Expression {
  if (ts.isParenthesizedExpression(e)) return peeled(e.expression);
  if (ts.isPrefixUnaryExpression(e) && e.operator === ts.SyntaxKind.ExclamationToken && isChain(peeled(e.operand))) return peeled(e.operand);
  return e;
}

function calledName(n: ts.CallExpression): string {
  const called = n.expression;
  if (ts.isPropertyAccessExpression(called)) return called.name.text.replace("#", "");
  return ts.isIdentifier(called) ? called.text : "";
}

function short(text: string): string {
  const one = text.replace(/\s+/g, " ");
  return one.length > 100 ? `${one.slice(0, 100)}…` : one;
}
