import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bundleUrl } from '@aurora-iam/core/adapter'
import { bundleFolder } from '../options/certificates.ts'
import { UsageError } from '../options/usage-error.ts'
import { replaceFile } from '../output/replace-file.ts'
import { type VerifiedBundle, verifyBundle } from './bundle.ts'
import { fetchBundle } from './fetch-bundle.ts'

/** Options of {@link storeBundle}, as commander returns them. */
export interface CaFlags {
  readonly region?: string
  readonly all?: boolean
  readonly out?: string
  readonly sha256?: string
  readonly url?: string
}

/** A bundle that was written to a file. */
export interface StoredBundle extends VerifiedBundle {
  readonly url: string
  readonly path: string
}

const ALL_REGIONS_URL = 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem'

/** Certificates are public. */
const READABLE = 0o644

/**
 * Fetches, verifies and writes the certificate authorities of a Region, or of all.
 *
 * @throws {@link UsageError} for options that cannot be used; CommandError for a bundle that cannot be fetched, trusted
 * or written
 */
export async function storeBundle(
  flags: CaFlags,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<StoredBundle> {
  const { region, all, sha256 } = flags
  if ((region === undefined) === (all !== true))
    throw new UsageError('--region: give a Region, or --all, and not both.')
  if (region !== undefined && !/^[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}$/.test(region))
    throw new UsageError('--region: expected a Region such as ap-east-2.')
  if (sha256 !== undefined && !/^([0-9a-f]{2}:?){32}$/i.test(sha256))
    throw new UsageError('--sha256: expected 64 hexadecimal digits.')
  const url = flags.url ?? (region === undefined ? ALL_REGIONS_URL : bundleUrl(region))
  if (url === undefined) {
    throw new UsageError(
      `--url: the partition of ${region} documents no public address. Give the one in the AWS documentation of the partition.`,
    )
  }
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:')
    throw new UsageError('--url: expected an address that begins with https://.')
  const { username, password } = new URL(url)
  if (username || password)
    throw new UsageError(
      '--url: expected an address without a user and a password, which fetch does not send.',
    )
  const bundle = verifyBundle(await fetchBundle(url, sha256), region, Date.now())
  const path = flags.out ?? join(bundleFolder(environment), `${region ?? 'global'}-bundle.pem`)
  if (flags.out === undefined) await mkdir(dirname(path), { recursive: true })
  await replaceFile(path, bundle.roots.map(({ subject, pem }) => `# ${subject}\n${pem}\n`).join(''), READABLE)
  return { ...bundle, url, path }
}
