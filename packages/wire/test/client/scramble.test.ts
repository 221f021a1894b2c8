import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { encryptPassword, scrambleCachingSha2, scrambleNativePassword } from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const scramble = Buffer.from('abcdefghijklmnopqrst')

// Expected values: the formulas of the MySQL documentation, worked out with Python's hashlib.
test('mysql_native_password: the scramble of the documentation', () => {
  expect(scrambleNativePassword('secret', scramble).toString('hex')).toBe(
    '8817c50fa779daef010ee7577825b0847df9842e',
  )
})

test('caching_sha2_password: the scramble of the documentation', () => {
  expect(scrambleCachingSha2('secret', scramble).toString('hex')).toBe(
    'c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809',
  )
})

test('an empty password: an empty answer', () => {
  expect(scrambleNativePassword('', scramble)).toHaveLength(0)
  expect(scrambleCachingSha2('', scramble)).toHaveLength(0)
})

test('the full path of caching_sha2_password: the password is masked and encrypted for the server', () => {
  const password = 'a password longer than the scramble'
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const masked = privateDecrypt(
    { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING },
    encryptPassword(password, scramble, pem),
  )
  const unmasked = masked.map((byte, index) => byte ^ scramble[index % 20]!)
  expect(Buffer.from(unmasked).toString()).toBe(`${password}\0`)
})

test('an invalid key: a WireError with its cause', () => {
  expect(() => encryptPassword('secret', scramble, 'no key')).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_MALFORMED', cause: expect.any(Error) }),
  )
})
