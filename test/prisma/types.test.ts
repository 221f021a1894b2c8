import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

test('declaration: true under pnpm: what users export compiles, and wrong options do not', async () => {
  const outDir = await mkdtemp(join(tmpdir(), 'prisma-types-'))
  onTestFinished(() => rm(outDir, { recursive: true }))
  const args = ['--project', path('types'), '--outDir', outDir]
  const compile = promisify(execFile)(path('../../node_modules/.bin/tsc'), args)
  const { stdout } = await compile.catch((error: { stdout: string }) => error)
  expect(stdout.split('\n').filter((line) => line.includes('error TS'))).toEqual([])
  const declarations = await readFile(join(outDir, 'test/prisma/types/usage.d.ts'), 'utf8')
  expect(declarations).toContain('AuroraIamAdapter')
  expect(declarations).not.toContain('driver-adapter-utils')
})
