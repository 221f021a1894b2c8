import { readFileSync } from 'node:fs'
import { errorTable } from '@aurora-iam/test-support/error-table'
import { expect, test } from 'vitest'
import { prismaErrors } from '../src/error-catalogue.ts'

test('docs/prisma-errors.md: it has the catalogue of this package, row by row', () => {
  expect(errorTable('docs/prisma-errors.md', 'The codes')).toEqual(prismaErrors)
})

test('the codes in the sources: those of the catalogue and no others', () => {
  const source = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8')
  const used = new Set([...source.matchAll(/'(P\d{4})'/g)].map(([, code]) => code))
  // Prisma’s own code for raw SQL is named, and never given.
  used.delete('P2010')
  expect([...used].sort()).toEqual(Object.keys(prismaErrors).sort())
})
