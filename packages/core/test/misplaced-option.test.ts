import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { assertNoIamOptions, assertOwnName } from '../src/misplaced-option.ts'

test.each([
  [{ host: 'db', rateLimit: 5 }, '', 'rateLimit', /^rateLimit: an option of IAM, which has no effect here\./],
  [
    { maxWaitMs: 5 },
    'connection.',
    'connection.maxWaitMs',
    /an option of IAM.* second argument: \{ maxWaitMs: … \}/,
  ],
  [{ hostname: 'db' }, '', 'hostname', /the driver calls the endpoint `host`/],
  [{ hostname: 'db', host: 'localhost' }, '', 'hostname', /an option of IAM, which has no effect here/],
])('%o among the options of the driver: refused by its full name', (given, path, option, message) => {
  const error = errorThrownBy(() => assertNoIamOptions(given, path))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option })
  expect(error.message).toMatch(message)
})

test('options that the driver has too, or has alone: accepted', () => {
  expect(() =>
    assertNoIamOptions({ host: 'db', port: 3306, user: 'app', waitForConnections: true }),
  ).not.toThrow()
})

const NAMES = { own: 'connectionLimit', foreign: 'max' }

test('an option under the name of another driver: refused, unless the own name is there', () => {
  expect(errorThrownBy(() => assertOwnName({ max: 5 }, NAMES))).toMatchObject({
    code: 'ERR_AURORA_IAM_UNKNOWN_OPTION',
    option: 'max',
    message: 'max: the driver calls it `connectionLimit`. Write `connectionLimit`.',
  })
  for (const given of [
    {},
    { connectionLimit: 5 },
    { connectionLimit: 5, max: 5 },
    Object.create({ max: 5 }),
  ]) {
    expect(() => assertOwnName(given, NAMES)).not.toThrow()
  }
})
