import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import { project } from './vitest.config.ts'

const PACKAGES = ['rate-limit', 'core', 'mysql2', 'knex', 'typeorm', 'prisma', 'wire', 'local']
const name = process.env.MUTANTS_PACKAGE

// Without a list, all tests of the package, and those of its driver with real servers.
const nearest = process.env.MUTANTS_TESTS?.split(' ').map((test) => `${test}.test.ts`)
const include = nearest ?? [`{packages/${name}/test,test/${name}}/**/*.test.ts`]

// These tests start separate programs, which see no mutants, count what the mutants leave behind in the process, or
// take long and test what others test too.
const exclude = [
  ...['import', 'process-exit', 'mariadb-lifetime', 'cli', 'program', 'exit', 'types', 'typings'],
  ...['shutdown', 'rollback', 'lifetime', 'man-in-the-middle', 'readme', 'mikro-orm'],
].map((file) => `**/${file}.test.ts`)

// Links in `node_modules` lead out of the copy that holds the mutants.
const alias = PACKAGES.flatMap((one) => {
  const folder = new URL(`packages/${one}/`, import.meta.url)
  const { exports } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  return Object.entries<{ '@aurora-iam/source'?: string }>(exports).flatMap(([subpath, conditions]) => {
    const source = conditions['@aurora-iam/source']
    if (source === undefined) return []
    const find = new RegExp(`^@aurora-iam/${one}${subpath.slice(1)}$`)
    return { find, replacement: fileURLToPath(new URL(source, folder)) }
  })
})

export default defineConfig(
  mergeConfig(project('mutants', ...include), {
    resolve: { alias },
    // Isolated files would load the AWS SDK once each, for each mutant. Many mutants leave a test waiting: its time
    // limit is most of the time of a run.
    test: {
      exclude,
      alias,
      isolate: false,
      testTimeout: 6000,
      setupFiles: [fileURLToPath(new URL('scripts/mutants-set-up.mjs', import.meta.url))],
    },
  }),
)
