import type { ConnectionTarget } from '@aurora-iam/core/adapter'
import { WireError } from '@aurora-iam/wire'
import type { Finding } from './finding.ts'

/** Evidence about TLS that failed. */
export interface TlsEvidence {
  readonly clock: Finding['verdict']
  /** True if the caller gave certificate authorities. */
  readonly hasCa: boolean
}

/** OpenSSL's names for a chain that ends in no trusted authority, as Node has them. */
const OTHER_AUTHORITY: ReadonlySet<unknown> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Returns what to do about a server whose TLS was not accepted.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
 */
export function tlsRemedies(error: Error, target: ConnectionTarget, evidence: TlsEvidence): string[] {
  const { hostname } = target
  const { code } = error as NodeJS.ErrnoException
  if (OTHER_AUTHORITY.has(code)) return authorityRemedies(target, evidence)
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return [
        'The certificate is self-signed: it is not from AWS. If the server is yours (a local one), give its certificate: --ca;',
        'otherwise something between here and the database answers in its place.',
      ]
    case 'CERT_HAS_EXPIRED':
      return evidence.clock === 'ok'
        ? [
            'Rotate the certificate: `aws rds modify-db-instance --ca-certificate-identifier rds-ca-rsa2048-g1`.',
          ]
        : [
            'Set the clock of this machine first, see above. If it is right, rotate the certificate of the database.',
          ]
    case 'CERT_NOT_YET_VALID':
      return [
        'The clock of this machine is slow: set it. (Or the certificate was made on a machine whose clock is fast.)',
      ]
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return [
        `The certificate is for another server than ${hostname}. If --host, --dial or a tunnel leads to another database,`,
        'correct it; for another name of this database give the endpoint that RDS issued: --hostname.',
      ]
    case 'ERR_WIRE_UNSUPPORTED':
      return [
        'The server offers no TLS, and a token is never sent without it. RDS and Aurora always offer it: check that --dial or',
        'the tunnel leads to the database, with nothing in between that speaks for it.',
      ]
    default:
      return error instanceof WireError && error.errno !== undefined
        ? ['The server ended the connection before TLS. Its own words are above.']
        : [
            'The server closed the connection during TLS. Check what is between here and the database (a proxy, a firewall',
            'that inspects TLS); an old server may lack TLS 1.2.',
          ]
  }
}

function authorityRemedies({ kind, region }: ConnectionTarget, { hasCa }: TlsEvidence): string[] {
  const isProxy = kind === 'proxy' || kind === 'proxy-endpoint'
  if (hasCa) {
    return [
      'The certificate is from none of the authorities in --ca.',
      isProxy
        ? 'RDS Proxy has certificates of Amazon Trust Services: leave --ca out, or give https://www.amazontrust.com/repository.'
        : 'Leave --ca out for RDS and Aurora; give the bundle of the Region for GovCloud, China and new Regions.',
    ]
  }
  if (isProxy) {
    return [
      'The certificate is not from Amazon Trust Services, as those of RDS Proxy are: something between here and the proxy',
      'answers in its place. If the server is yours, give its authority: --ca <file>.',
    ]
  }
  return [
    `The certificate is not from an authority of RDS in ${region ?? 'any Region'}. If the server is yours, give its authority: --ca <file>.`,
    ...(kind === 'other'
      ? [
          'If this is a name for an RDS Proxy, give the endpoint of the proxy: --hostname. Check --region as well.',
        ]
      : []),
    'Otherwise something between here and the database answers in its place.',
  ]
}
