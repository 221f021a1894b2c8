import { expect, test } from 'vitest'
import { readDatabaseUrl } from '../../src/options/database-url.ts'
import { UsageError } from '../../src/options/usage-error.ts'

test('a URL with a password: its other parts', () => {
  expect(readDatabaseUrl('mysql://app:hunter2@db.example:3307/shop')).toEqual({
    host: 'db.example',
    port: '3307',
    user: 'app',
    database: 'shop',
  })
})

test.each([
  'mysql://app:a@hunter2.hush/b@db.example/shop',
  'mysql://app:a@hunter2.hush?b@db.example/shop',
  'mysql://app:a@hunter2.hush#b@db.example/shop',
])('a password that is not encoded (case %#): refused, and no part of it is taken for the host', (text) => {
  let thrown: unknown
  try {
    readDatabaseUrl(text)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(UsageError)
  expect((thrown as Error).message).toMatch(/^DATABASE_URL: .*%40/)
  expect((thrown as Error).message).not.toMatch(/hunter2|hush/)
})
