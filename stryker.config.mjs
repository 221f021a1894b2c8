export default {
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutants.config.ts', related: true },
  incremental: true,
  concurrency: 2,
  reporters: ['clear-text', 'progress-append-only', 'html'],
  htmlReporter: { fileName: `${process.env.MUTANTS_REPORT ?? 'reports/mutants/report'}.html` },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  // Messages are checked by their own tests, and their wording is no behaviour.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: ['reports'],
  timeoutMS: 20_000,
  // Stryker would rewrite it by an API that TypeScript 7 does not have. vitest needs none.
  tsconfigFile: 'no-tsconfig.json',
}
