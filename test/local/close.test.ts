import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../fixtures/close-local-aurora.mjs', import.meta.url))

test('close() in a program that has nothing else to do: it resolves, also while the database does not answer', async () => {
  const { AURORA_IAM_BACKEND: _, ...env } = process.env
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM], { env, timeout: 20_000 })
  expect({ stdout, stderr }).toEqual({ stdout: 'closed\n', stderr: '' })
})
