import { constants, createHash, publicEncrypt } from 'node:crypto'
import { WireError } from '../wire-error.ts'

const hash = (algorithm: 'sha1' | 'sha256', ...parts: Uint8Array[]): Buffer => {
  const digest = createHash(algorithm)
  for (const part of parts) digest.update(part)
  return digest.digest()
}

const xor = (bytes: Uint8Array, mask: Uint8Array): Buffer =>
  Buffer.from(bytes.map((byte, index) => byte ^ (mask[index % mask.length] ?? 0)))

/**
 * Returns a client's answer for `mysql_native_password`: 20 bytes, or none for an empty password.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html
 */
export function scrambleNativePassword(password: string, scramble: Uint8Array): Buffer {
  if (password === '') return Buffer.alloc(0)
  const once = hash('sha1', Buffer.from(password))
  return xor(once, hash('sha1', scramble, hash('sha1', once)))
}

/**
 * Returns a client's first answer for `caching_sha2_password`: 32 bytes, or none for an empty password.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
 */
export function scrambleCachingSha2(password: string, scramble: Uint8Array): Buffer {
  if (password === '') return Buffer.alloc(0)
  const once = hash('sha256', Buffer.from(password))
  return xor(once, hash('sha256', hash('sha256', once), scramble))
}

/**
 * Masks the password and encrypts it for the server's key, as `caching_sha2_password` wants it without TLS.
 *
 * @param publicKey - RSA public key in PEM, as the server sent it.
 * @throws {@link WireError} `ERR_WIRE_MALFORMED` when the key cannot be used.
 */
export function encryptPassword(password: string, scramble: Uint8Array, publicKey: string): Buffer {
  const masked = xor(Buffer.from(`${password}\0`), scramble)
  try {
    return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, masked)
  } catch (cause) {
    throw new WireError('ERR_WIRE_MALFORMED', "the server's public key cannot be used", { cause })
  }
}
