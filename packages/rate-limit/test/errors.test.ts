import { expect, test } from 'vitest'
import { RateLimitError } from '../src/index.ts'

test('an error without details: no property for them', () => {
  const error = new RateLimitError('ERR_RATE_LIMIT_CLOSED', 'The limiter is closed.')
  expect(error).toMatchObject({ name: 'RateLimitError', code: 'ERR_RATE_LIMIT_CLOSED', retryable: false })
  for (const name of ['cause', 'option', 'retryAfterMs']) expect(error).not.toHaveProperty(name)
})

test('an error with details: each is a property, also a cause that is undefined', () => {
  const details = { cause: undefined, option: 'limit', retryAfterMs: 0 }
  const error = new RateLimitError('ERR_RATE_LIMIT_TIMEOUT', 'No permit.', details)
  expect(error).toMatchObject({ retryable: true, option: 'limit', retryAfterMs: 0 })
  expect(Object.hasOwn(error, 'cause')).toBe(true)
})
