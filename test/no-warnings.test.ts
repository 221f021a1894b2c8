import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

test.each([
  ['a warning', "process.emitWarning('look out')"],
  [
    'a listener leak',
    "const e = new (require('events'))(); for (let i = 0; i < 11; i++) e.on('x', () => {})",
  ],
  ['a rejection without a handler', "Promise.reject(new Error('look out'))"],
])('a program that a test starts: it fails on %s', (_, code) => {
  const { status, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/look out|MaxListenersExceededWarning/)
})

test('a program without a warning: it exits normally', () => {
  expect(spawnSync(process.execPath, ['-e', '']).status).toBe(0)
})
