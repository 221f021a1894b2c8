import { expect, test } from 'vitest'
import { assertClient } from '../src/extension.ts'

test.each(['7.10.0', '7.11.2', '7.10.0-dev.3'])('the client %s: accepted', (version) => {
  expect(() => assertClient(version)).not.toThrow()
})

test.each(['6.19.3', '7.9.1', '8.0.0', 'in-memory'])('the client %s: refused, with the remedy', (version) => {
  expect(() => assertClient(version)).toThrow(
    expect.objectContaining({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option: '@prisma/client',
      message: `@prisma/client: this is ${version}. Use 7.10 or a later 7 (npm install @prisma/client@^7.10 prisma@^7.10).`,
    }),
  )
})
