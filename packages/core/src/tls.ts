import { AuroraIamError, describe } from './errors.ts'
import type { ConnectionTarget } from './target.ts'
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

const KEPT = new Set(['cert', 'key', 'passphrase', 'pfx', 'ciphers', 'maxVersion'])

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
    if (name === 'ca') ca = value as CertificateAuthorities
    else if (name === 'rejectUnauthorized' || name === 'verifyIdentity') {
      if (value !== true) throw weakened(option, describe(value), 'Leave it out')
    } else if (name === 'minVersion') {
      if (value !== 'TLSv1.2' && value !== 'TLSv1.3')
        throw weakened(option, describe(value), 'Use TLSv1.2 or TLSv1.3')
      minVersion = value
    } else if (name === 'maxVersion' && value !== 'TLSv1.2' && value !== 'TLSv1.3') {
      throw weakened(option, describe(value), 'Use TLSv1.2 or TLSv1.3')
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

function weakened(option: string, given: string, remedy: string): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_TLS_REQUIRED',
    `${option}: got ${given}. A token is only ever sent over TLS 1.2 or newer with the server's certificate and name verified. ${remedy}.`,
    { option },
  )
}
