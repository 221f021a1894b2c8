import { KeyObject, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type { KeyPair } from './key-pair.ts'

/** Period in which a certificate is valid. */
export interface Period {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Certificate authority in memory, with keys on the P-256 curve. */
export interface CertificateAuthority {
  /** The authority's own certificate, in PEM. */
  readonly certificate: string
  /** Issues a certificate for a TLS server of these DNS names and IP addresses. */
  issue(names: readonly string[], period: Period): Promise<KeyPair>
  /** Issues a self-signed certificate for a TLS server. */
  selfSign(names: readonly string[], period: Period): Promise<KeyPair>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** The names of a server are in the alternative names, where clients look. A subject has at most 64 characters. */
const SUBJECT = 'CN=Local Aurora'

/** Creates an authority with a new key. Two authorities may have the same name. */
export async function createCertificateAuthority(
  name: string,
  period: Period,
): Promise<CertificateAuthority> {
  const x509 = await loadX509()
  const generator = x509.X509CertificateGenerator
  const keys = await newKeys()
  const certificate = await generator.createSelfSigned({
    name: `CN=${name}`,
    ...period,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })

  async function serverExtensions(names: readonly string[], publicKey: webcrypto.CryptoKey) {
    return [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ]
  }

  return {
    certificate: certificate.toString('pem'),
    async issue(names, period) {
      const server = await newKeys()
      const issued = await generator.create({
        subject: SUBJECT,
        issuer: certificate.subject,
        ...period,
        publicKey: server.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          ...(await serverExtensions(names, server.publicKey)),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      })
      return { key: pem(server.privateKey), cert: issued.toString('pem') }
    },
    async selfSign(names, period) {
      const server = await newKeys()
      const issued = await generator.createSelfSigned({
        name: SUBJECT,
        ...period,
        keys: server,
        signingAlgorithm: ALGORITHM,
        extensions: await serverExtensions(names, server.publicKey),
      })
      return { key: pem(server.privateKey), cert: issued.toString('pem') }
    },
  }
}

/** Loads the library on first use: it is large, and needs a polyfill that is global. */
async function loadX509() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function pem(privateKey: webcrypto.CryptoKey): string {
  return KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
}
