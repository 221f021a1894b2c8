import { X509Certificate } from 'node:crypto'
import { CommandError } from '../options/command-error.ts'

/** A certificate authority in a bundle. */
export interface Root {
  readonly subject: string
  readonly region: string
  readonly validTo: Date
  /** SHA-256 of the certificate, in hexadecimal digits and colons. */
  readonly fingerprint: string
  readonly pem: string
}

/** Roots that can be trusted, and warnings about them. */
export interface VerifiedBundle {
  readonly roots: readonly Root[]
  readonly warnings: readonly string[]
}

// "Amazon RDS eu-west-1 Root CA RSA2048 G1": one certificate per Region and key type.
const ROOT_NAME = /^CN=Amazon RDS (\S+) Root CA \S+ G\d+$/m
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

const DAY_MS = 86_400_000

/** A root that expires sooner gets a warning: databases get certificates of its successor before that. */
const WARNING_MS = 90 * DAY_MS

/**
 * Verifies a bundle, and returns its roots that are live. Roots of other Regions and expired ones are left out.
 *
 * @param region - The Region whose roots are returned; undefined for those of all Regions.
 * @throws {@link CommandError} for a certificate that cannot be parsed, for a root that is not self-signed, and for a
 * bundle without a live root
 */
export function verifyBundle(text: string, region: string | undefined, nowMs: number): VerifiedBundle {
  const roots: Root[] = []
  const warnings: string[] = []
  for (const [pem] of text.matchAll(CERTIFICATE)) {
    const certificate = parse(pem)
    const [, named] = ROOT_NAME.exec(certificate.subject) ?? []
    const validTo = new Date(certificate.validTo)
    // Some bundles have intermediates and the roots of 2019 as well, which are not trusted.
    if (named === undefined) continue
    if (
      !certificate.ca ||
      !certificate.checkIssued(certificate) ||
      !certificate.verify(certificate.publicKey)
    )
      throw new CommandError(
        `The bundle has a certificate for ${named} that no root signed as itself. Nothing was written.`,
      )
    if (region !== undefined && named !== region) continue
    if (validTo.getTime() <= nowMs) continue
    if (validTo.getTime() - nowMs < WARNING_MS) {
      const days = Math.floor((validTo.getTime() - nowMs) / DAY_MS)
      warnings.push(
        `A root of ${named} expires in ${days} days, at ${validTo.toISOString()}. Run this command again before.`,
      )
    }
    const { subject, fingerprint256 } = certificate
    roots.push({ subject, region: named, validTo, fingerprint: fingerprint256, pem })
  }
  if (roots.length === 0) {
    const which = region === undefined ? '' : ` for ${region}`
    throw new CommandError(`The bundle has no root of Amazon RDS${which} that is live. Nothing was written.`)
  }
  return { roots, warnings }
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new CommandError('The bundle has a certificate that cannot be parsed. Nothing was written.', {
      cause,
    })
  }
}
