import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { tlsPolicy } from '../../src/tls/tls-policy.ts'

const target = {
  hostname: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  kind: 'cluster' as const,
  region: 'eu-west-1',
}

test('an option that is undefined: as if it were not there, whatever its name', () => {
  const ssl = { minVersion: undefined, maxVersion: undefined, verifyIdentity: undefined, anything: undefined }
  expect(tlsPolicy(target, undefined, ssl)).toEqual(tlsPolicy(target, undefined, {}))
})

test('each of the two versions of TLS: accepted as the lowest and as the highest', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { minVersion, rest } = tlsPolicy(target, undefined, { minVersion: version, maxVersion: version })
    expect({ minVersion, rest }).toEqual({ minVersion: version, rest: { maxVersion: version } })
  }
  expect(tlsPolicy(target, undefined, {}).minVersion).toBe('TLSv1.2')
})

test('an unknown option: the message lists the options that there are', () => {
  const { message } = errorThrownBy(() => tlsPolicy(target, undefined, { unknown: 1 }))
  for (const name of ['ca', 'minVersion', 'maxVersion', 'ciphers']) expect(message).toContain(name)
})
