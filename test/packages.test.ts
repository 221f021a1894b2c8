import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publish } from '@aurora-iam/test-support/published'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const forms = await mkdtemp(join(tmpdir(), 'published-'))

afterAll(() => rm(forms, { recursive: true }))

/** Every package, one export to know it by, and which of ours it may build on. */
const PACKAGES = [
  ['rate-limit', 'RateLimitError', []],
  ['core', 'AuroraIamError', ['rate-limit']],
  ['mysql2', 'AuroraIamError', ['core']],
  ['knex', 'AuroraIamError', ['core', 'mysql2']],
  ['typeorm', 'AuroraIamError', ['core', 'mysql2']],
  ['prisma', 'AuroraIamError', ['core']],
  ['wire', 'WireError', []],
  ['local', 'LocalAuroraError', ['wire']],
] as const

/** The folder of each package, and what it must hold beside the README. */
const PACKED: ReadonlyArray<readonly [folder: string, files: readonly string[]]> = [
  ...PACKAGES.map(([name]) => [name, ['dist/index.js', 'dist/index.d.ts', 'src/index.ts']] as const),
  ['cli', ['bin/aurora-iam.js', 'dist/cli.js', 'src/cli.ts']],
]

describe.each(PACKED)('packages/%s, packed', (name, expected) => {
  const folder = join(forms, name)
  let packed: string
  let tarball: string

  beforeAll(async () => {
    await publish(forms, [name], name !== 'cli')
    packed = await mkdtemp(join(tmpdir(), 'packed-'))
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', packed], { cwd: folder })
    tarball = join(packed, (await readdir(packed))[0] as string)
  })

  afterAll(() => rm(packed, { recursive: true }))

  test('publint: no findings', async () => {
    const { stdout } = await run(bin('publint'), ['run', tarball, '--strict'])
    expect(stdout).toContain('All good')
  })

  // A command has no types.
  if (name !== 'cli') {
    test('types: they resolve for every way of importing an ES module', async () => {
      await run(bin('attw'), [tarball, '--profile', 'esm-only'])
    })
  }

  test('the packed files: the build and its sources, no tests', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball])
    const files = stdout.trim().split('\n')
    expect(files).toEqual(
      expect.arrayContaining(
        ['README.md', 'LICENSE', 'CHANGELOG.md', ...expected].map((file) => `package/${file}`),
      ),
    )
    expect(files.filter((file) => /test|tsbuildinfo|\.env/.test(file))).toEqual([])
  })

  // A command loads its parts when they are needed.
  if (name !== 'cli') {
    test('the packed code: one file for each entry, two at most that entries share, and maps that lead to the sources', async () => {
      const { exports, bin: commands = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
      const entries = Object.keys(exports).length - 1 + Object.keys(commands).length
      const files = await readdir(join(folder, 'dist'), { recursive: true })
      expect(files.filter((file) => file.endsWith('.js')).length).toBeLessThanOrEqual(entries + 2)
      const maps = files.filter((file) => file.endsWith('.js.map'))
      expect(maps.length).toBeGreaterThan(0)
      for (const map of maps) {
        const { sources } = JSON.parse(await readFile(join(folder, 'dist', map), 'utf8'))
        for (const source of sources) await readFile(join(folder, 'dist', map, '..', source))
      }
    })
  }
})

describe.each(PACKAGES)('@aurora-iam/%s', (name, exported, mayUse) => {
  const folder = join(root, 'packages', name)

  test('require() and import(): the same class, without a warning', async () => {
    const program = `
      const required = require('@aurora-iam/${name}')
      import('@aurora-iam/${name}').then((imported) => {
        if (!required.${exported} || required.${exported} !== imported.${exported}) throw new Error('two classes')
        console.log('one class')
      })`
    const { stdout, stderr } = await run(process.execPath, ['-e', program], { cwd: folder })
    expect(stdout).toBe('one class\n')
    expect(stderr).toBe('')
  })

  test('dependencies: no package of ours beyond those that it may have', async () => {
    const { dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>
    }
    const ours = Object.keys(dependencies).filter((dependency) => dependency.startsWith('@aurora-iam/'))
    expect(ours).toEqual(mayUse.map((other) => `@aurora-iam/${other}`))
  })
})

test('aurora-iam: a command', async () => {
  const { stdout } = await run(process.execPath, [join(root, 'packages/cli/bin/aurora-iam.js'), '--help'])
  expect(stdout).toContain('doctor')
})
