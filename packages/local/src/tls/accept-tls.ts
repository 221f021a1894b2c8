import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import type { FaultSettings } from '../faults/faults.ts'
import type { Certificates } from './certificates.ts'
import type { KeyPair } from './key-pair.ts'

/** Aurora MySQL accepts no older version: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Security.html */
const MIN_VERSION = 'TLSv1.2'

/** Secure contexts of the certificates that the server can show. They are kept, so that clients can resume sessions. */
export type ServerCertificates = Readonly<
  Record<'valid' | NonNullable<FaultSettings['certificate']>, SecureContext>
>

/** Returns the secure contexts of certificates. */
export function prepareCertificates(certificates: Certificates): ServerCertificates {
  const context = (pair: KeyPair): SecureContext => createSecureContext({ ...pair, minVersion: MIN_VERSION })
  return {
    valid: context(certificates.valid),
    'other-ca': context(certificates.otherCa),
    'wrong-name': context(certificates.wrongName),
    expired: context(certificates.expired),
    'self-signed': context(certificates.selfSigned),
  }
}

/**
 * Waits for a client to finish the TLS handshake on a stream.
 *
 * @throws the error of TLS when either side fails, or an error without a code when the stream ends
 */
export function acceptTls(stream: Duplex, secureContext: SecureContext): Promise<TLSSocket> {
  const tls = new TLSSocket(stream as ConstructorParameters<typeof TLSSocket>[0], {
    isServer: true,
    secureContext,
  })
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      tls.destroy()
      reject(new Error('the client went away'))
    }
    tls.on('error', reject)
    tls.once('close', leave)
    tls.once('secure', () => resolve(tls))
    // Node ends the TLS socket with a socket below it, but not with another stream.
    if (stream.destroyed) leave()
    else stream.once('close', leave)
  })
}
