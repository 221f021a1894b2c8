// Everything that must hold before a change lands, fastest first; the tests come last, so that their summary does.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const CHECKS = [
  ['types', 'tsc', ['-b']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  ['unused files, exports and dependencies', 'knip', []],
  ['tests', 'vitest', ['run', ...process.argv.slice(2)]],
]

for (const [what, command, args] of CHECKS) {
  process.stdout.write(`\ncheck: ${what}\n`)
  const { status, signal } = spawnSync(join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) {
    process.stderr.write(`\ncheck: ${what} failed (${signal ?? `status ${status}`})\n`)
    process.exit(status ?? 1)
  }
}
