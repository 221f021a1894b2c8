export default {
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutants.config.ts', related: true },
  incremental: true,
  concurrency: Number(process.env.MUTANTS_AT_ONCE ?? 2),
  reporters: ['progress-append-only', 'html'],
  htmlReporter: { fileName: `${process.env.MUTANTS_REPORT ?? 'reports/mutants/report'}.html` },
  // Messages are checked by their own tests, and their wording is no behaviour.
  mutator: { excludedMutations: ['StringLiteral'] },
  // Each of those runs every test of the package.
  ignoreStatic: process.env.MUTANTS_STATIC === undefined,
  ignorePatterns: ['reports'],
  // A mutant counts as noticed when its tests run out of time, which must not happen on a busy machine alone.
  timeoutMS: 20_000,
  timeoutFactor: 4,
  dryRunTimeoutMinutes: 20,
  // Stryker would rewrite it by an API that TypeScript 7 does not have. vitest needs none.
  tsconfigFile: 'no-tsconfig.json',
}
