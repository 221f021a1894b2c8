import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import { project } from './vitest.config.ts'

const PACKAGES = ['rate-limit', 'core', 'mysql2', 'knex', 'typeorm', 'prisma', 'wire', 'local']
const name = process.env.MUTANTS_PACKAGE

// These tests start separate programs, which see no mutants, count what the mutants leave behind in the process, or
// take long and test what others test too.
const exclude = [
  ...['import', 'process-exit', 'mariadb-lifetime', 'cli', 'program', 'exit', 'types', 'typings'],
  ...['shutdown', 'rollback', 'lifetime', 'man-in-the-middle', 'readme', 'mikro-orm'],
].map((file) => `**/${file}.test.ts`)

// Links in `node_modules` lead out of the copy that holds the mutants.
const alias = PACKAGES.flatMap((one) =>
  ['adapter', 'iam'].map((subpath) => ({
    find: `@aurora-iam/${one}/${subpath}`,
    replacement: fileURLToPath(
      new URL(`packages/${one}/src/${subpath === 'iam' ? 'iam/index' : subpath}.ts`, import.meta.url),
    ),
  })),
).concat(
  PACKAGES.map((one) => ({
    find: `@aurora-iam/${one}`,
    replacement: fileURLToPath(new URL(`packages/${one}/src/index.ts`, import.meta.url)),
  })),
)

// One package at a time, by its own tests, and those of its driver with real servers.
export default defineConfig(
  mergeConfig(project('mutants', `{packages/${name}/test,test/${name}}/**/*.test.ts`), {
    resolve: { alias },
    test: { exclude, alias },
  }),
)
