import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript-6'
import { describe, expect, test } from 'vitest'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

interface Manifest {
  readonly name: string
  readonly types?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** Every package that a program imports. */
const LIBRARIES = readdirSync(packages)
  .map((folder) => ({
    folder: join(packages, folder),
    manifest: JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8')) as Manifest,
  }))
  .filter(({ manifest }) => manifest.types !== undefined)
  .map(({ folder, manifest }) => ({
    ...manifest,
    dist: `${join(folder, 'dist')}/`,
    entry: join(folder, manifest.types as string),
  }))

const isOurs = (node: ts.Node) => LIBRARIES.some(({ dist }) => node.getSourceFile().fileName.startsWith(dist))

describe('the declarations', { timeout: 120_000 }, () => {
  const program = ts.createProgram({
    rootNames: LIBRARIES.map(({ entry }) => entry),
    options: {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: true,
      types: ['node'],
    },
  })
  const checker = program.getTypeChecker()

  // A compiler that emits declarations can only name a type that its module can import: TS2883, under pnpm.
  test.each(LIBRARIES)(
    '$name: each type that a call or a property returns is exported beside it',
    ({ entry }) => {
      expect(unexportedTypes(entry)).toEqual([])
    },
  )

  // Without skipLibCheck, the import of an optional dependency is an error for those who do not have it.
  test.each(LIBRARIES)('$name: they import what every user has', (library) => {
    const { dist, dependencies, peerDependencies = {}, peerDependenciesMeta = {} } = library
    const required = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)
    const installed = new Set([...Object.keys(dependencies ?? {}), ...required])
    const missing = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.startsWith(dist))
      .flatMap(({ text }) => ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName))
      .filter((name) => !name.startsWith('.') && !isBuiltin(name) && !installed.has(packageOf(name)))
    expect(missing).toEqual([])
  })

  function unexportedTypes(entry: string): string[] {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile)
    const exported = new Set(checker.getExportsOfModule(module as ts.Symbol).map(withoutAlias))
    const found = new Set<string>()
    const visited = new Set<ts.Symbol>()
    const visitSymbol = (symbol: ts.Symbol) => {
      if (visited.has(symbol)) return
      visited.add(symbol)
      for (const declaration of symbol.declarations ?? []) if (isOurs(declaration)) visitNode(declaration)
    }
    const visitNode = (node: ts.Node): void => {
      if (ts.isParameter(node)) return
      if (
        ts.canHaveModifiers(node) &&
        node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
      )
        return
      const name = nameOfType(node)
      const symbol = name && checker.getSymbolAtLocation(name)
      if (symbol) {
        const type = withoutAlias(symbol)
        const isNamed =
          type.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)
        if (isNamed && type.declarations?.some(isOurs)) {
          if (!exported.has(type)) found.add(type.name)
          visitSymbol(type)
        }
      }
      ts.forEachChild(node, visitNode)
    }
    for (const symbol of exported) if (symbol.flags & ts.SymbolFlags.Value) visitSymbol(symbol)
    return [...found].sort()
  }

  function withoutAlias(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  }
})

function nameOfType(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
