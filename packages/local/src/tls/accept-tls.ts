import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import type { FaultSettings } from '../faults/faults.ts'
import type { Certificates } from './certificates.ts'
import type { KeyPair } from './key-pair.ts'

/** Aurora MySQL takes nothing older: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Security.html */
const MIN_VERSION = 'TLSv1.2'

/** Certificates that the server can show, ready for TLS. Kept for its life, so that clients can resume sessions. */
export type ServerCertificates = Readonly<
  Record<'valid' | NonNullable<FaultSettings['certificate']>, SecureContext>
>

/** Makes certificates ready for TLS. */
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
 * Waits for a client to finish the TLS handshake on a stream. Rejects with the error of TLS when either side does not
 * like it, or with a plain error when the stream ends.
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
    // Node tells the TLS socket of the end of a socket below, but not of that of another stream.
    if (stream.destroyed) leave()
    else stream.once('close', leave)
  })
}
