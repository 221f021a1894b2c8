import { type ConnectionTarget, isRegionDoubtful, suspectedTunnel } from '@aurora-iam/core/adapter'
import { WireError } from '@aurora-iam/wire'
import type { Finding } from './finding.ts'

/** What is known of the rest when a login is refused. */
export interface Circumstances {
  readonly clock: Finding['verdict']
  /** Who signs, as AWS STS names it. */
  readonly arn: string | undefined
}

const ER_ACCESS_DENIED = 1045

/** By the number of the error. */
const ADMISSION_REMEDIES: Readonly<Record<number, string>> = {
  1040: 'It takes no more connections now. Make the pools smaller, end what is idle, or try again.',
  1130: 'No user may log in from the address of this machine: `SELECT user, host FROM mysql.user` tells from where.',
}

/** What to do where a server turns a connection away, whoever comes: it may do so in place of its greeting. */
export function admissionRemedies(error: Error): string[] {
  const remedy = error instanceof WireError && ADMISSION_REMEDIES[error.errno ?? 0]
  return remedy ? [remedy] : []
}

/**
 * What to do about a login that was refused. The server says no more than 1045, whatever the reason is.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export function loginRemedies(error: Error, target: ConnectionTarget, known: Circumstances): string[] {
  if (!(error instanceof WireError)) return []
  const { username } = target
  const createUser = `CREATE USER ${quoted(username)} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;`
  if (error.code === 'ERR_WIRE_UNSUPPORTED') {
    return [
      `The user ${username} is not one for tokens. An administrator of the database makes one:`,
      `  ${createUser}`,
    ]
  }
  if (error.errno !== ER_ACCESS_DENIED) return admissionRemedies(error)
  if (known.clock === 'wrong')
    return ['The clock is wrong, see above: set it before you look for anything else.']
  const reasons = [
    ...signedForAnother(target),
    [
      `${known.arn ?? 'The identity that signs'} may not connect. It needs, with ${resourceId(target).where}:`,
      permission(target, known.arn),
    ],
    [
      `The user ${username} does not exist, or was made for a password. An administrator of the database makes it:`,
      createUser,
    ],
    [
      'The cluster has no IAM authentication: `aws rds modify-db-cluster --enable-iam-database-authentication`.',
    ],
    ['New connections are throttled. Try again in a second.'],
    ...(known.clock === 'unknown' ? [['The clock of this machine is wrong.']] : []),
  ]
  return [
    'The server does not say why. What is left, the likeliest first:',
    ...reasons.flatMap(([reason, ...more], index) => [
      `(${index + 1}) ${reason}`,
      ...more.map((line) => `    ${line}`),
    ]),
    'The log iam-db-auth-error of the cluster has the reason, if it is exported to CloudWatch.',
  ]
}

/** What may be signed that is not the database's own. No name tells its port, and not every name its Region. */
function signedForAnother(target: ConnectionTarget): string[][] {
  const reasons: string[][] = []
  const tunnel = suspectedTunnel(target, target.fixedAddress)
  if (tunnel) {
    const { host, port } = tunnel
    reasons.push([
      `The token is signed for port ${port}, which leads to ${host}. If that is a tunnel, give the port of the database itself:`,
      `--port 3306 --dial ${host}:${port}`,
    ])
  }
  if (isRegionDoubtful(target)) {
    const signed = target.region ?? 'that of the AWS configuration'
    reasons.push([
      `The database is in another Region than ${signed}, which its name does not tell. Give its own: --region`,
    ])
  }
  return reasons
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html */
function permission(target: ConnectionTarget, arn = ''): string {
  const { region = 'REGION', username } = target
  const [, partition = 'aws', , , account = 'ACCOUNT'] = arn.split(':')
  const resource = `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId(target).example}/${username}`
  return JSON.stringify({ Effect: 'Allow', Action: 'rds-db:connect', Resource: resource })
}

/** What stands for the database in a permission. It is in none of its names. */
function resourceId({ kind }: ConnectionTarget): { readonly example: string; readonly where: string } {
  return kind === 'proxy' || kind === 'proxy-endpoint'
    ? {
        example: 'prx-ABC',
        where: 'the end of the ARN that `aws rds describe-db-proxies` tells in place of prx-ABC',
      }
    : {
        example: 'cluster-ABC',
        where: 'the DbClusterResourceId that `aws rds describe-db-clusters` tells in place of cluster-ABC',
      }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
