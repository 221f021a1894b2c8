import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { describe } from '../src/adapter.ts'
import { AuroraIamError } from '../src/index.ts'

test('an error with few details: the others are absent', () => {
  const error = new AuroraIamError('ERR_AURORA_IAM_CLOSED', 'Closed.')
  expect(Object.keys(error).sort()).toEqual(['code', 'retryable'])
  expect('cause' in error).toBe(false)
  expect(error.stack).toMatch(/^AuroraIamError: Closed\./)
  expect(inspect(error)).not.toContain('undefined')
})

test('a copy of an error: another object with the same content', () => {
  const cause = new Error('underneath')
  const error = new AuroraIamError('ERR_AURORA_IAM_RATE_LIMITED', 'Full.', {
    cause,
    option: 'maxWaitMs',
    retryAfterMs: 7,
  })
  expect(error).toMatchObject({ option: 'maxWaitMs', retryAfterMs: 7, retryable: true })
  const copy = error.copy()
  expect(copy).not.toBe(error)
  expect(copy).toMatchObject({ ...error })
  expect(copy.message).toBe('Full.')
  expect(copy.cause).toBe(cause)
  expect('cause' in new AuroraIamError('ERR_AURORA_IAM_CLOSED', 'Closed.').copy()).toBe(false)
})

test.each([
  [null, 'null'],
  [undefined, 'undefined'],
  [false, 'false'],
  [Number.NaN, 'NaN'],
  [10n, 'a bigint'],
  [7, 'a number'],
  [Symbol('s'), 'a symbol'],
  ['false', 'a string of 5 characters'],
  ['', 'an empty string'],
  ['x'.repeat(81), 'a string of 81 characters'],
  [['secret'], 'an array'],
  [{ secretAccessKey: 'secret' }, 'an object'],
  [{ toString: () => 'secret' }, 'an object'],
  [() => 'secret', 'a function'],
])('describe(%o): type and size, no content', (value, text) => {
  expect(describe(value)).toBe(text)
})

test('instanceof: an error of the class or of a subclass, and nothing else', () => {
  class Special extends AuroraIamError {}
  const error = new AuroraIamError('ERR_AURORA_IAM_CLOSED', 'Closed.')
  const special = new Special('ERR_AURORA_IAM_CLOSED', 'Closed.')
  for (const value of [error, special]) expect(value instanceof AuroraIamError).toBe(true)
  const ofAnotherCopy = { [Symbol.for('@aurora-iam/core/error')]: true }
  expect(ofAnotherCopy instanceof AuroraIamError).toBe(true)
  expect(ofAnotherCopy instanceof Special).toBe(false)
  for (const value of [new Error('Closed.'), { code: 'ERR_AURORA_IAM_CLOSED' }, null, undefined, 'text'])
    expect(value instanceof AuroraIamError).toBe(false)
  expect(error instanceof Special).toBe(false)
  expect(special instanceof Special).toBe(true)
})
