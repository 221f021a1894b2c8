import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { assertOptionsObject } from '../../src/util/assert-options-object.ts'

const NAMES = { option: 'options', shape: '{ host, user }' }

test.each([
  ['nothing', undefined, 'undefined.'],
  ['null', null, 'null.'],
  ['a URL, whose length is not shown either', 'mysql://app:hunter2@db', 'a string.'],
  ['a list', [{}], 'an array.'],
  ['a number', 7, 'a number.'],
  ['a function', () => ({}), 'a function.'],
  ['a promise', Promise.resolve({}), 'a promise. Await it first.'],
])('%s in place of options: refused, with the expected shape', (_what, value, given) => {
  const error = errorThrownBy(() => assertOptionsObject(value, NAMES))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'options' })
  expect(error.message).toBe(`options: expected an object { host, user }, got ${given}`)
})

test('an option takes a URL: the message names it, unless a promise was given', () => {
  const message = (value: unknown) =>
    errorThrownBy(() => assertOptionsObject(value, { ...NAMES, url: 'uri' })).message
  expect(message('mysql://db')).toMatch(/got a string\. A URL goes into `uri`\.$/)
  expect(message(Promise.resolve())).toMatch(/Await it first\.$/)
})

test.each([[{}], [Object.create(null)], [new (class Options {})()]])('%o: accepted', (value) => {
  expect(() => assertOptionsObject(value, NAMES)).not.toThrow()
})
