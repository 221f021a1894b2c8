import { createCertificateAuthority } from './certificate-authority.ts'
import type { KeyPair } from './key-pair.ts'

/** Certificates that a TLS server may show: a valid one, and one for each fault. */
export interface Certificates {
  /** The certificate of the authority that clients trust, in PEM. */
  readonly ca: string
  /** Issued by {@link Certificates.ca} for the names asked for. */
  readonly valid: KeyPair
  /** Like {@link Certificates.valid}, for another name. */
  readonly wrongName: KeyPair
  /** Like {@link Certificates.valid}, expired yesterday. */
  readonly expired: KeyPair
  /** Like {@link Certificates.valid}, issued by an authority of the same name that clients do not trust. */
  readonly otherCa: KeyPair
  /** Self-signed. */
  readonly selfSigned: KeyPair
}

const AUTHORITY = 'Local Aurora throw-away CA'
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Issuer of the certificates of servers, in memory. */
export interface CertificateIssuer {
  /** The certificate of the authority that clients trust, in PEM. */
  readonly ca: string
  /** Issues certificates for a server with these DNS names and IP addresses, at least one. */
  issue(names: readonly string[]): Promise<Certificates>
}

/** Creates an authority that clients trust, and the one of the same name that they do not. */
export async function createCertificateIssuer(): Promise<CertificateIssuer> {
  const now = Date.now()
  // Valid since an hour ago: the clock of a container may be behind that of its host.
  const period = { notBefore: new Date(now - HOUR), notAfter: new Date(now + 365 * DAY) }
  const past = { notBefore: new Date(now - 2 * DAY), notAfter: new Date(now - DAY) }
  const longer = { notBefore: new Date(now - 3 * DAY), notAfter: period.notAfter }
  const [trusted, other] = await Promise.all([
    createCertificateAuthority(AUTHORITY, longer),
    createCertificateAuthority(AUTHORITY, longer),
  ])
  return {
    ca: trusted.certificate,
    async issue(names) {
      const [valid, wrongName, expired, otherCa, selfSigned] = await Promise.all([
        trusted.issue(names, period),
        trusted.issue(['wrong-name.invalid'], period),
        trusted.issue(names, past),
        other.issue(names, period),
        other.selfSign(names, period),
      ])
      return { ca: trusted.certificate, valid, wrongName, expired, otherCa, selfSigned }
    },
  }
}

/** Creates an authority and the certificates of one server. */
export async function createCertificates(names: readonly string[]): Promise<Certificates> {
  return (await createCertificateIssuer()).issue(names)
}
