import { errorTable } from '@aurora-iam/test-support/error-table'
import { expect, test } from 'vitest'
import { wireErrors } from '../src/error-catalogue.ts'

test('docs/errors.md: it has the catalogue of this package, row by row', () => {
  expect(errorTable('docs/errors.md', 'WireError')).toEqual(wireErrors)
})
