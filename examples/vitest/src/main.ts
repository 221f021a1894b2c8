// Runs the tests of test/, and prints each: your own tests with a database that expires tokens and rejects logins.
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'

const root = fileURLToPath(new URL('..', import.meta.url))
const silent = { onInit: () => {} }
const vitest = await startVitest('test', [], {
  root,
  config: false,
  watch: false,
  // The start of Local Aurora counts as time of the first test: the default of 5 seconds is short on a busy machine.
  testTimeout: 60_000,
  reporters: [silent],
})
for (const module of vitest.state.getTestModules()) {
  for (const test of module.children.allTests()) console.log(`${test.result().state}: ${test.name}`)
}
await vitest.close()
