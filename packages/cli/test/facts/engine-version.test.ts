import { expect, test } from 'vitest'
import { engineOf, isAtLeast } from '../../src/facts/engine-version.ts'

test.each([
  ['8.0.39', '3.08.2', true],
  ['5.7.12', '2.11.6', true],
  ['5.6.10', '1.9', false],
  ['5.6.10-log', '1.10', true],
  ['8.0.40', undefined, true],
  ['5.7.12-log', undefined, false],
  ['10.6.14-MariaDB', undefined, false],
  ['11.4.3-MariaDB-log', undefined, true],
])('%s, Aurora %s: IAM logins %s', (version, aurora, isEnough) => {
  const { minimum = 'none' } = engineOf(version, aurora)
  expect(isAtLeast(aurora ?? version, minimum)).toBe(isEnough)
})

test('a version that AWS documents no minimum for: none', () => {
  expect(engineOf('9.1.0', undefined)).toEqual({ name: 'MySQL 9.1.0', minimum: undefined })
})
