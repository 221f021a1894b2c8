import { errorTable } from '@aurora-iam/test-support/error-table'
import { expect, test } from 'vitest'
import { rateLimitErrors } from '../src/error-catalogue.ts'

test('docs/errors.md: it has the catalogue of this package, row by row', () => {
  expect(errorTable('docs/errors.md', 'RateLimitError')).toEqual(rateLimitErrors)
})

test('the README: the same table', () => {
  expect(errorTable('packages/rate-limit/README.md', 'Errors')).toEqual(rateLimitErrors)
})
