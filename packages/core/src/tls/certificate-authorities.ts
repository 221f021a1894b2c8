import { X509Certificate } from 'node:crypto'
import { describe } from '../util/describe.ts'
import { invalidOption } from '../util/invalid-option.ts'

/** One or more certificate authorities in PEM, as `tls.createSecureContext` takes them. */
export type CertificateAuthorities = string | Buffer | ReadonlyArray<string | Buffer>

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/**
 * Returns `value` as certificate authorities, each of which has been parsed. Node ignores a certificate that it
 * cannot read, and takes an empty `ca` for none given, which is every public authority.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`, with the remedy and nothing of `value`
 */
export function readCertificateAuthorities(value: unknown, option: string): CertificateAuthorities {
  const all = Array.isArray(value) ? value : [value]
  if (all.length === 0 || !all.every(isTextOrBuffer)) {
    throw invalidOption(option, `expected ${WANTED}, got ${describe(value)}`)
  }
  for (const one of all) assertCertificates(String(one), option)
  return value as CertificateAuthorities
}

const WANTED =
  'certificates in PEM (the content of the file, not its path): a string, a Buffer or an array of them'

function assertCertificates(pem: string, option: string): void {
  const blocks = pem.match(BLOCK) ?? []
  const begins = pem.split('-----BEGIN CERTIFICATE-----').length - 1
  if (begins === 0) throw invalidOption(option, `expected ${WANTED}, got a text without a certificate`)
  if (blocks.some((block) => block.includes('\\n'))) {
    throw invalidOption(
      option,
      'its line breaks are the two characters \\ and n, as an environment variable or a JSON file in quotes has them. ' +
        "Replace them: `.replaceAll('\\\\n', '\\n')`",
    )
  }
  if (blocks.length < begins)
    throw invalidOption(option, 'a certificate has no END line. Give the whole file')
  for (const [index, block] of blocks.entries()) {
    if (isReadable(block)) continue
    const which = blocks.length === 1 ? 'the certificate' : `certificate ${index + 1} of ${blocks.length}`
    throw invalidOption(option, `${which} cannot be read. Give the file unchanged, as it was downloaded`)
  }
}

/** Returns whether a text is a certificate in PEM that Node can read. */
export function isReadable(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}

function isTextOrBuffer(value: unknown): boolean {
  return typeof value === 'string' || Buffer.isBuffer(value)
}
