// Everything that must hold before a change lands. The tests come last, so that their summary does. `--checks-only`
// leaves them out.
import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const args = process.argv.slice(2)
const isChecksOnly = args.includes('--checks-only')

const CHECKS = [
  ['types', 'tsc', ['-b']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  ['unused files, exports and dependencies', 'knip', []],
  [
    'directions of imports',
    'depcruise',
    ['--config', '.dependency-cruiser.mjs', '--output-type', 'err', 'packages', 'test', 'examples'],
  ],
  ['copied code', 'jscpd', ['--silent', '--exitCode', '1', 'packages', 'scripts', 'test/support']],
  ['links of the documentation', 'remark', ['--frail', '--quiet', '--no-stdout', '.']],
  ['language', process.execPath, ['scripts/language/check.mjs']],
  ...(isChecksOnly ? [] : [['tests', 'vitest', ['run', ...args]]]),
]

for (const [what, command, parameters] of CHECKS) {
  process.stdout.write(`\ncheck: ${what}\n`)
  const { status, signal } = spawnSync(resolve(root, 'node_modules/.bin', command), parameters, {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) {
    process.stderr.write(`\ncheck: ${what} failed (${signal ?? `status ${status}`})\n`)
    process.exit(status ?? 1)
  }
}
