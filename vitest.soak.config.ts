import { defineConfig } from 'vitest/config'
import { project } from './vitest.config.ts'

// What takes minutes, and the whole machine: one file after the other, by `npm run soak`.
export default defineConfig({
  test: { fileParallelism: false, projects: [project('soak', '{test,packages/*/test}/**/*.soak.ts')] },
})
