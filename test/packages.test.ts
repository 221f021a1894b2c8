import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packagesIn } from './packages/imports.ts'
import { type Installation, installTarballs, type PackedPackage } from './packages/pack.ts'
import { declared, publicPackages, root } from './packages/packages.ts'

const run = promisify(execFile)
const names = publicPackages().map(({ manifest }) => manifest.name)
const BELONGS =
  /^(package\.json|README\.md|LICENSE|src\/[\w-]+\.ts|bin\/[\w-]+\.js|dist\/[\w-]+\.(js|d\.ts)(\.map)?)$/
const SECRET =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(AKIA|ASIA)[A-Z0-9]{16}\b|_authToken=|X-Amz-Signature=[0-9a-f]{64}/

let installation: Installation

beforeAll(async () => {
  installation = await installTarballs()
}, 60_000)

afterAll(() => installation?.remove())

describe.each(names)('the tarball of %s', (name) => {
  let packed: PackedPackage

  beforeAll(() => {
    packed = installation.packages.get(name)!
  })

  const read = (file: string) => readFileSync(join(packed.folder, file), 'utf8')

  test('holds the build, the sources, a README and the licence, and nothing else', () => {
    expect(packed.files.filter((file) => !BELONGS.test(file))).toEqual([])
    expect(packed.files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
  })

  test('holds the build of its own sources: if not, delete dist and build again', () => {
    const named = (shape: RegExp) => packed.files.flatMap((file) => shape.exec(file)?.[1] ?? [])
    const sources = named(/^src\/(.+)\.ts$/)
    expect(sources).not.toEqual([])
    expect(named(/^dist\/(.+)\.js$/)).toEqual(sources)
    expect(named(/^dist\/(.+)\.d\.ts$/)).toEqual(sources)
  })

  test('holds every file that its package.json promises', () => {
    const { main, types, bin, exports } = packed.manifest
    const promised = [main, types, Object.values(bin ?? {}), leaves(exports)].flat()
    expect(promised.length).toBeGreaterThan(3)
    expect(promised.filter((path) => !packed.files.includes(path!.replace('./', '')))).toEqual([])
  })

  test('asks for versions that an installer understands', () => {
    const { dependencies, peerDependencies } = packed.manifest
    const ranges = Object.values({ ...dependencies, ...peerDependencies })
    expect(ranges.filter((range) => range.includes(':'))).toEqual([])
  })

  test('imports nothing, in code or types, that it does not declare', () => {
    const built = packed.files.filter((file) => /^dist\/.*\.(js|d\.ts)$/.test(file))
    const imported = new Set(built.flatMap((file) => packagesIn(read(file))))
    expect([...imported].filter((one) => !declared(packed.manifest).includes(one))).toEqual([])
  })

  test('holds no secret', () => {
    expect(packed.files.filter((file) => SECRET.test(read(file)))).toEqual([])
  })

  test('is faultless to publint', async () => {
    const { stdout } = await tool('publint', ['run', packed.tarball, '--strict'])
    expect(stdout).toContain('All good!')
  })

  test('has types that resolve under every ESM way to resolve them', async () => {
    const { stdout } = await tool('attw', [
      packed.tarball,
      '--profile',
      'esm-only',
      '--no-emoji',
      '--no-color',
    ])
    expect(stdout).toContain('No problems found')
  })
})

test('require() and import() give one and the same, without a warning', async () => {
  const { stdout, stderr } = await node(`
    const assert = require('node:assert/strict')
    const names = ${JSON.stringify(names)}
    Promise.all(names.map(async (name) => {
      const [required, imported] = [require(name), await import(name)]
      const exported = Object.keys(imported)
      assert.notEqual(exported.length, 0)
      for (const key of exported) assert.equal(required[key], imported[key], name + ' ' + key)
    })).then(() => console.log('same'))`)
  expect({ stdout, stderr }).toEqual({ stdout: 'same\n', stderr: '' })
})

test('an adapter and core share one class of error', async () => {
  const { stdout } = await node(`
    const { AuroraIamError } = require('@aurora-iam/core')
    const { withAuroraIam } = require('@aurora-iam/mysql2')
    try { withAuroraIam({ host: 'localhost', user: 'app', nonsense: 1 }, { nonsense: 1 }) }
    catch (error) { console.log(error instanceof AuroraIamError) }
    import('@aurora-iam/mysql2').then((adapter) => console.log(adapter.AuroraIamError === AuroraIamError))`)
  expect(stdout).toBe('true\ntrue\n')
})

test('the command that comes with a package starts', async () => {
  const local = installation.packages.get('@aurora-iam/local')!
  const command = join(local.folder, local.manifest.bin!['local-aurora']!)
  const { stdout } = await run(process.execPath, [command, '--help'], { timeout: 20_000 })
  expect(stdout).toContain('local-aurora')
})

/** Runs a program, CommonJS, where the tarballs are installed. */
function node(program: string) {
  return run(process.execPath, ['--eval', program], { cwd: installation.folder, timeout: 20_000 })
}

/** Runs a tool of the repository. One that finds fault ends with a status that rejects, its findings in the error. */
function tool(name: string, args: readonly string[]) {
  return run(join(root, 'node_modules/.bin', name), args, { timeout: 25_000 })
}

/** The strings at the ends of a nested object. */
function leaves(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(leaves)
}
