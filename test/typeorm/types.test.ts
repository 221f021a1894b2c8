import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

test.each([
  ['0.3', 'tsconfig.0.3.json'],
  ['1.1', 'tsconfig.latest.json'],
])('code of users on TypeORM %s: it compiles without a cast', async (version, project) => {
  const args = ['--project', path(`types/${project}`), '--listFiles']
  const compile = promisify(execFile)(path('../../node_modules/.bin/tsc'), args)
  const { stdout } = await compile.catch((error: { stdout: string }) => error)
  expect(stdout.split('\n').filter((line) => line.includes('error TS'))).toEqual([])
  const versions = new Set([...stdout.matchAll(/\/typeorm@(\d+\.\d+)/g)].map(([, found]) => found))
  expect([...versions]).toEqual([version])
})
