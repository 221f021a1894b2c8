import { defineConfig, mergeConfig } from 'vitest/config'
import { project } from './vitest.config.ts'

// These tests start separate programs, which see no mutants, or count what the mutants leave behind in the process.
const exclude = ['import', 'process-exit', 'mariadb-lifetime', 'cli', 'program'].map(
  (name) => `**/${name}.test.ts`,
)

// One package at a time, by the tests of the package alone: those import its sources by path, so they see the mutants.
export default defineConfig(
  mergeConfig(project('mutants', `packages/${process.env.MUTANTS_PACKAGE}/test/**/*.test.ts`), {
    test: { exclude },
  }),
)
