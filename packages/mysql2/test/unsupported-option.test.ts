import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { describe, expect, test } from 'vitest'
import { lifetimeOptionOf, retryOptionOf } from '../src/options/unsupported-option.ts'

const inherited = (options: AuroraIamOptions): AuroraIamOptions => Object.create(options)

describe('the option that only a pool has', () => {
  test.each<[AuroraIamOptions | undefined, string | undefined]>([
    [{ retryRejectedLogins: true }, 'retryRejectedLogins'],
    [{ retryRejectedLogins: false }, undefined],
    [{ rateLimit: false }, undefined],
    [inherited({ retryRejectedLogins: true }), undefined],
    [undefined, undefined],
  ])('%o: %s', (options, option) => {
    expect(retryOptionOf(options)).toBe(option)
  })
})

describe('an option that only a managed pool has', () => {
  test.each<[AuroraIamOptions | undefined, string | undefined]>([
    [{ maxLifetimeMs: 60_000 }, 'maxLifetimeMs'],
    [{ maxLifetimeMs: undefined, watchEndpointMs: 1_000 } as AuroraIamOptions, 'watchEndpointMs'],
    [{ retireDemoted: true }, 'retireDemoted'],
    [{ retireDemoted: false }, undefined],
    [{ rateLimit: false }, undefined],
    [inherited({ maxLifetimeMs: 60_000 }), undefined],
    [undefined, undefined],
  ])('%o: %s', (options, option) => {
    expect(lifetimeOptionOf(options)).toBe(option)
  })
})

test('an AuroraIam, which other pools may share: neither', () => {
  const iam = createAuroraIam({ retryRejectedLogins: true, maxLifetimeMs: 60_000 })
  expect(retryOptionOf(iam)).toBeUndefined()
  expect(lifetimeOptionOf(iam)).toBeUndefined()
})
