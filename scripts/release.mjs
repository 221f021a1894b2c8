// Publishes the packages: writes the public address into each, makes every check, and hands over to changesets.
// `--address-only` ends after the first step.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeAddress } from './release-address.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

function run(what, command, args) {
  process.stdout.write(`\nrelease: ${what}\n`)
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status === 0) return
  process.stderr.write(`\nrelease: ${what} failed (${signal ?? `status ${status}`})\n`)
  process.exit(status ?? 1)
}

try {
  const folders = writeAddress(root)
  process.stdout.write(`release: wrote the address into ${folders.length} packages\n`)
} catch (error) {
  process.stderr.write(`release: ${error.message}\n`)
  process.exit(1)
}
if (!process.argv.includes('--address-only')) {
  run('checks and tests', process.execPath, ['scripts/check.mjs'])
  run('bundle', process.execPath, ['scripts/bundle.mjs'])
  run('publish', join(root, 'node_modules/.bin/changeset'), ['publish'])
}
