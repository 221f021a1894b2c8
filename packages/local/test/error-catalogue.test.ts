import { errorTable } from '@aurora-iam/test-support/error-table'
import { expect, test } from 'vitest'
import { localAuroraErrors } from '../src/error-catalogue.ts'

test('docs/errors.md: it has the catalogue of this package, row by row', () => {
  expect(errorTable('docs/errors.md', 'LocalAuroraError')).toEqual(localAuroraErrors)
})

test('the README: the same table', () => {
  expect(errorTable('packages/local/README.md', 'Errors')).toEqual(localAuroraErrors)
})
