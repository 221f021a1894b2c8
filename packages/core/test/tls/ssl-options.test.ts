import { rootCertificates } from 'node:tls'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { createAuroraIam } from '../../src/index.ts'
import { tlsPolicy } from '../../src/tls/tls-policy.ts'

const target = {
  hostname: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  kind: 'cluster' as const,
  region: 'eu-west-1',
}

test('an option that is undefined: no effect, for each name', () => {
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

test.each([
  ['servername', 'db.test', 'hostname'],
  ['checkServerIdentity', () => undefined, 'always verified'],
  ['requestCert', true, 'always requested'],
  ['require', true, 'always required'],
])('%s: refused with the remedy', (name, value, remedy) => {
  const error = errorThrownBy(() => tlsPolicy(target, undefined, { [name]: value }))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option: `ssl.${name}` })
  expect(error.message).toContain(remedy)
})

const [pem = ''] = rootCertificates
const PEMS: ReadonlyArray<readonly [what: string, pem: string | Buffer, remedy: string]> = [
  ['line breaks that are two characters', pem.replaceAll('\n', '\\n'), 'replaceAll'],
  ['the same after a good certificate', `${pem}\n${pem.replaceAll('\n', '\\n')}`, 'replaceAll'],
  ['no END line', pem.slice(0, -30), 'END line'],
  ['no END line in the last of two', `${pem}\n${pem.slice(0, -30)}`, 'END line'],
  ['garbage between its markers', pem.replace(/[A-Za-z]{40}/, '!'.repeat(40)), 'cannot be read'],
  [
    'the same in the second of two',
    `${pem}\n${pem.replace(/[A-Za-z]{40}/, '')}`,
    'certificate 2 of 2 cannot be read',
  ],
  ['the same, alone', pem.replace(/[A-Za-z]{40}/, ''), 'the certificate cannot be read'],
  ['a path', '/etc/ssl/global-bundle.pem', 'not its path'],
  ['garbage in a Buffer', Buffer.from(pem.replace(/[A-Za-z]{40}/, '')), 'cannot be read'],
]

test.each(PEMS)('%s: refused at once as `ca` and as `ssl.ca`, with the remedy', (_what, ca, remedy) => {
  const errors = [
    errorThrownBy(() => createAuroraIam({ ca })),
    errorThrownBy(() => tlsPolicy(target, undefined, { ca })),
  ]
  for (const [index, error] of errors.entries()) {
    const option = index === 0 ? 'ca' : 'ssl.ca'
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option })
    expect(error.message).toContain(remedy)
    expect(error.message).not.toContain(pem.slice(40, 60))
  }
})

test.each([
  ['a number', 7, 'a number'],
  ['no certificate', [], 'an array'],
  ['a certificate and a number', [pem, 7], 'an array'],
  ['an object', { pem }, 'an object'],
])('%s as `ca`: refused, and named as what it is', (_what, ca, given) => {
  const { message } = errorThrownBy(() => tlsPolicy(target, undefined, { ca }))
  expect(message).toContain(`got ${given}`)
  expect(message).not.toContain(pem.slice(40, 60))
})
