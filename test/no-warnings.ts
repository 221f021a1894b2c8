import { afterAll, expect } from 'vitest'

// A warning of Node (a listener leak, a rejection without a handler, a deprecation) is a defect of the library or
// of the test that raised it.
const warnings: Error[] = []
const note = (warning: Error) => warnings.push(warning)
process.on('warning', note)

// The programs that a test starts have separate warnings.
const option = `--import=${new URL('fixtures/fatal-warnings.mjs', import.meta.url)}`
const given = process.env.NODE_OPTIONS ?? ''
if (!given.includes(option)) process.env.NODE_OPTIONS = `${given} ${option}`.trim()

afterAll(async () => {
  // Node raises warnings a tick after their cause.
  await new Promise(setImmediate)
  process.off('warning', note)
  expect(warnings.map(String)).toEqual([])
})
