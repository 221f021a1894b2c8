import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('.', import.meta.url))
const { resolve } = createRequire(import.meta.url)

/** Compiles this folder against the built packages, and returns the errors in it and in our own declarations. */
async function errorsOf(compiler: string, args: readonly string[] = []): Promise<string[]> {
  const tsc = join(dirname(resolve(`${compiler}/package.json`)), 'bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '--project', folder, '--listFiles', ...args], {
    maxBuffer: 2 ** 24,
  }).catch((error: { stdout: string }) => error)
  const lines = stdout.split('\n')
  const compiled = lines.filter((line) => line.includes('/test/types/') && !line.includes('error'))
  expect(compiled.map((line) => basename(line)).sort()).toEqual([
    'knex.ts',
    'mysql2.ts',
    'others.ts',
    'prisma.ts',
    'typeorm.ts',
  ])
  // Declarations of the drivers themselves are their authors' concern.
  return lines.filter((line) => /error TS/.test(line) && !line.includes('node_modules/'))
}

// A compiler computes for seconds, and for much longer beside other work.
describe('code of users, and errors that the compiler must find', { timeout: 240_000 }, () => {
  test.each([
    ['the oldest TypeScript', 'typescript-5.4'],
    ['the last of TypeScript 5', 'typescript-5.9'],
    ['the last before TypeScript 7', 'typescript-6'],
  ])('%s: no error', async (_name, compiler) => {
    expect(await errorsOf(compiler, ['--skipLibCheck'])).toEqual([])
  })

  // Its own declarations are compiled too, and with nothing newer than ES2020.
  test('the latest TypeScript, without skipLibCheck: no error', async () => {
    expect(await errorsOf('typescript')).toEqual([])
  })
})
