import { expect, test } from 'vitest'
import { unverifiedError } from '../src/auth/unverified-error.ts'

test.each([
  ['3.14.3', /^mysql2 3\.14\.3 does not show.*3\.14\.4 or newer.*npm ls mysql2/],
  ['2.3.3', /^mysql2 2\.3\.3 does not show/],
  ['3.9.0-canary.1', /^mysql2 3\.9\.0/],
  ['3.14.4', /TLS peer is not verified/],
  ['3.14.10', /TLS peer is not verified/],
  ['3.24.6', /TLS peer is not verified/],
  ['4.0.0', /TLS peer is not verified/],
  [undefined, /TLS peer is not verified/],
])('mysql2 %s on a connection that is not seen to be verified: %s', (version, message) => {
  expect(unverifiedError(version)).toMatchObject({
    code: 'ERR_AURORA_IAM_TLS_REQUIRED',
    option: 'ssl',
    message: expect.stringMatching(message),
  })
})
