import 'reflect-metadata'
import { KeyObject, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A private key and its certificate, both in PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}

/** One trusted authority, one good certificate of it, and the ways in which certificates are bad. */
export interface Certificates {
  readonly ca: string
  readonly valid: KeyPair
  readonly wrongName: KeyPair
  readonly expired: KeyPair
  readonly otherCa: KeyPair
  readonly selfSigned: KeyPair
}

interface Issuer {
  readonly keys: webcrypto.CryptoKeyPair
  readonly certificate: X509Certificate
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY = 86_400_000

/** Creates certificates for a TLS server that clients reach as `hostname`. */
export async function createCertificates(hostname: string): Promise<Certificates> {
  const [trusted, other] = await Promise.all([createAuthority(), createAuthority()])
  const [valid, wrongName, expired, otherCa, selfSigned] = await Promise.all([
    issue(hostname, trusted),
    issue('wrong-name.invalid', trusted),
    issue(hostname, trusted, -1),
    issue(hostname, other),
    issue(hostname, undefined),
  ])
  return { ca: trusted.certificate.toString('pem'), valid, wrongName, expired, otherCa, selfSigned }
}

/** Creates an authority. All have one name: only their keys tell them apart. */
async function createAuthority(): Promise<Issuer> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Throw-away CA of a test',
    ...validUntil(365),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  })
  return { keys, certificate }
}

/** @param issuer - undefined for a certificate that signs itself */
async function issue(hostname: string, issuer: Issuer | undefined, days = 365): Promise<KeyPair> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=Server of a test',
    issuer: issuer?.certificate.subject,
    ...validUntil(days),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: hostname }])],
  })
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  return { key, cert: certificate.toString('pem') }
}

function validUntil(days: number) {
  return { notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() + days * DAY) }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}
