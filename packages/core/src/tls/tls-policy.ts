import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'
import { describe } from '../util/validate.ts'
import { trustRoots } from './trust-roots.ts'

/** One or more certificate authorities in PEM, as `tls.createSecureContext` takes them. */
export type CertificateAuthorities = string | Buffer | ReadonlyArray<string | Buffer>

/**
 * How every connection that carries a token is secured: chain and host name verified, TLS 1.2 or newer. Node's
 * `tls` names.
 */
export interface TlsPolicy {
  readonly ca: CertificateAuthorities
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly rejectUnauthorized: true
  /** Whatever else of the caller's own TLS options makes nothing weaker (a client certificate, ciphers). */
  readonly rest: Readonly<Record<string, unknown>>
}

// Not `pfx`: the authorities inside would be trusted beside `ca`.
const KEPT = new Set(['cert', 'key', 'passphrase', 'ciphers', 'maxVersion'])

// Suites by name, with forward secrecy and encryption: OpenSSL's other words can select NULL or anonymous ones.
const CIPHER = /^(TLS_(AES|CHACHA20)_\w+|(EC)?DHE-(RSA|ECDSA)-(AES|CHACHA20)[A-Z\d-]+)$/

/**
 * The TLS policy for `target`, from the caller's `ca` and the driver's own `ssl` option.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_TLS_REQUIRED` for anything that would weaken it,
 * `ERR_AURORA_IAM_TRUST_ROOTS_MISSING`, `ERR_AURORA_IAM_CONFLICTING_OPTIONS` or `ERR_AURORA_IAM_UNKNOWN_OPTION`
 */
export function tlsPolicy(
  target: Pick<ConnectionTarget, 'hostname' | 'kind' | 'region'>,
  ca: CertificateAuthorities | undefined,
  ssl: unknown,
): TlsPolicy {
  const given = readSsl(ssl)
  if (ca !== undefined && given.ca !== undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'ssl.ca: given beside `ca`. Give the certificate authorities once.',
      { option: 'ssl.ca' },
    )
  }
  return {
    ca: ca ?? given.ca ?? trustRoots(target),
    minVersion: given.minVersion,
    rejectUnauthorized: true,
    rest: given.rest,
  }
}

function readSsl(ssl: unknown): {
  ca: CertificateAuthorities | undefined
  minVersion: TlsPolicy['minVersion']
  rest: Record<string, unknown>
} {
  // 'Amazon RDS' is mysql2's name for the certificate authorities that are the default here.
  if (ssl === undefined || ssl === true || ssl === 'Amazon RDS')
    return { ca: undefined, minVersion: 'TLSv1.2', rest: {} }
  if (typeof ssl !== 'object' || ssl === null) {
    throw weakened('ssl', describe(ssl), 'Leave `ssl` out; for other certificate authorities give `ca`')
  }
  const rest: Record<string, unknown> = {}
  let ca: CertificateAuthorities | undefined
  let minVersion: TlsPolicy['minVersion'] = 'TLSv1.2'
  for (const [name, value] of Object.entries(ssl)) {
    const option = `ssl.${name}`
    if (value === undefined) continue
    if (name === 'ca') ca = readCertificateAuthorities(value, option)
    else if (name === 'rejectUnauthorized' || name === 'verifyIdentity') {
      if (value !== true) throw weakened(option, describe(value), 'Leave it out')
    } else if (name === 'minVersion') {
      if (value !== 'TLSv1.2' && value !== 'TLSv1.3')
        throw weakened(option, describe(value), 'Use TLSv1.2 or TLSv1.3')
      minVersion = value
    } else if (name === 'maxVersion' && value !== 'TLSv1.2' && value !== 'TLSv1.3') {
      throw weakened(option, describe(value), 'Use TLSv1.2 or TLSv1.3')
    } else if (name === 'ciphers' && !isCipherList(value)) {
      throw weakened(option, describe(value), 'Leave it out, or name ECDHE, DHE or TLS 1.3 suites')
    } else if (KEPT.has(name)) rest[name] = value
    else {
      throw new AuroraIamError(
        'ERR_AURORA_IAM_UNKNOWN_OPTION',
        `${option}: not an option that can be combined with IAM. Known: ca, minVersion, ${[...KEPT].join(', ')}.`,
        { option },
      )
    }
  }
  return { ca, minVersion, rest }
}

/**
 * `value` as certificate authorities. Node takes an empty one for none given, which is every public authority.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function readCertificateAuthorities(value: unknown, option: string): CertificateAuthorities {
  const all = Array.isArray(value) ? value : [value]
  if (all.length > 0 && all.every(isCertificate)) return value as CertificateAuthorities
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${option}: expected certificates in PEM (their content, not a path): a string, a Buffer or an array of them, got ${describe(value)}.`,
    { option },
  )
}

function isCertificate(value: unknown): boolean {
  return (
    (typeof value === 'string' || Buffer.isBuffer(value)) && value.includes('-----BEGIN CERTIFICATE-----')
  )
}

function isCipherList(value: unknown): boolean {
  return typeof value === 'string' && value.split(':').every((suite) => CIPHER.test(suite))
}

function weakened(option: string, given: string, remedy: string): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_TLS_REQUIRED',
    `${option}: got ${given}. A token is only ever sent over TLS 1.2 or newer with the server's certificate and name verified. ${remedy}.`,
    { option },
  )
}
