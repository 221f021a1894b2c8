import {
  type ConnectionTarget,
  type DenialCause,
  type DenialEvidence,
  databaseResources,
  isProxyKind,
  rankDenialCauses,
} from '@aurora-iam/core/adapter'
import { WireError } from '@aurora-iam/wire'
import { serverErrorRemedies } from './server-error-remedies.ts'

/** Evidence about a login that was denied. */
export interface LoginEvidence extends DenialEvidence {
  /** ARN of the identity that signs, as AWS STS reports it. */
  readonly arn: string | undefined
}

const ER_ACCESS_DENIED = 1045
const ER_NOT_SUPPORTED_AUTH_MODE = 1251

/**
 * Returns what to do about a login that was denied. The server reports 1045 whatever the reason is.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export function loginRemedies(error: Error, evidence: LoginEvidence): readonly string[] {
  const { target } = evidence
  if (!(error instanceof WireError)) return AFTER_TOKEN
  if (error.code === 'ERR_WIRE_UNSUPPORTED' || error.errno === ER_NOT_SUPPORTED_AUTH_MODE)
    return notRequested(target)
  if (error.errno === undefined) return AFTER_TOKEN
  if (error.errno !== ER_ACCESS_DENIED) {
    const remedies = serverErrorRemedies(error.errno, error.message)
    return remedies.length > 0
      ? remedies
      : ['The server names its reason above; the token was not its reason.']
  }
  return [
    'The server does not report why. Possible reasons, the likeliest first:',
    ...rankDenialCauses(evidence).flatMap((cause, index) => {
      const [reason, ...more] = LINES[cause](evidence)
      return [`(${index + 1}) ${reason}`, ...more.map((line) => `    ${line}`)]
    }),
    'The log iam-db-auth-error of the database has the reason, if it is exported to CloudWatch.',
  ]
}

/** Returns remedies for a server that does not ask for a token. A proxy in standard mode needs the user's password. */
function notRequested(target: ConnectionTarget): readonly string[] {
  const { kind, username } = target
  if (!isProxyKind(kind)) {
    return [
      `The server did not ask for a token: ${username} has a password, or there is no such user. To make it an IAM user:`,
      `  ${createUser(target)}`,
    ]
  }
  return [
    `The proxy accepts no IAM login for ${username}. \`aws rds describe-db-proxies\` shows its mode as DefaultAuthScheme:`,
    `NONE (standard IAM): give it a secret for ${username} with IAMAuth REQUIRED (\`aws rds modify-db-proxy --auth\`).`,
    '    The database user keeps its password.',
    `IAM_AUTH (end-to-end IAM): the user of the database has the plugin: ${createUser(target)}`,
  ]
}

/**
 * Remedies for a server that closes or does not answer once it has the token, as one that throttles or is busy does.
 */
const AFTER_TOKEN: readonly string[] = [
  'The server got the token and did not answer: it is overloaded, or throttles new connections. Try again in a minute, and',
  'open fewer connections at once.',
]

const LINES: Readonly<Record<DenialCause, (evidence: LoginEvidence) => readonly string[]>> = {
  clock: () => ['The clock of this machine is wrong. Set it before anything else is checked.'],
  'foreign-token': () => ['The token is for another login.'],
  'credentials-expired': () => ['The AWS credentials that signed have expired or were revoked. Renew them.'],
  name: ({ target }) => [
    `${target.hostname} is not a name that RDS issued, and the database compares the signed name with its own. Give both:`,
    `--host ${target.hostname} --hostname <the endpoint of the database>`,
  ],
  port: ({ target, dialled }) =>
    dialled?.port === target.port
      ? [
          `The token is signed for port ${target.port}, which leads to ${dialled.host}. If that is a tunnel, give the port of the database itself:`,
          `--port 3306 --dial ${dialled.host}:${target.port}`,
        ]
      : [
          `The token is signed for port ${target.port}, and ${dialled?.host}:${dialled?.port} was dialled. If the database itself listens on another`,
          `port than ${target.port}, give that: --port <number> --dial ${dialled?.host}:${dialled?.port}`,
        ],
  region: ({ target }) => [
    `The database is in another Region than ${target.region ?? 'that of the AWS configuration'}, and its name does not show that. Give its own: --region`,
    ...(target.kind === 'global-writer'
      ? ['`aws rds describe-global-clusters` returns the member with IsWriter, whose ARN has the Region.']
      : []),
  ],
  permission: permissionLines,
  user: ({ target }) => [
    `The user ${target.username} does not exist, differs in letter case, or has a password. An administrator creates it:`,
    createUser(target),
  ],
  'iam-off': ({ target }) => [
    'IAM authentication is switched off for the database. Switch it on:',
    ...databaseResources(target.kind).map(({ enableCommand }) => String(enableCommand)),
  ],
  'proxy-secret': ({ target }) => [
    'Standard IAM of RDS Proxy (DefaultAuthScheme NONE in `aws rds describe-db-proxies`): the token is for the proxy, and the',
    `database user keeps its password. The proxy has no secret for ${target.username} with IAMAuth REQUIRED, or the secret's`,
    'password is not the one of the database. Correct the secret; the database user stays unchanged.',
  ],
  'proxy-role': ({ target }) => [
    'End-to-end IAM of RDS Proxy (DefaultAuthScheme IAM_AUTH): the role of the proxy needs rds-db:connect for the user of the',
    `database behind it, and the user has the plugin: ${createUser(target)}`,
  ],
  withdrawn: () => ['What worked before was withdrawn: the permission, the access key or the user.'],
  throttled: () => ['New connections are throttled. Try again in a minute.'],
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html */
function permissionLines({ target, arn }: LoginEvidence): readonly string[] {
  const [resource, other] = databaseResources(target.kind)
  return [
    `${arn ?? 'The identity that signs'} has no permission to connect. It needs, with ${resource.idSource} in place of ${resource.idPrefix}RESOURCE_ID:`,
    permission(target, resource.idPrefix, arn),
    ...(other
      ? [
          `If it is a member of a cluster, with ${other.idSource} in place of ${other.idPrefix}RESOURCE_ID:`,
          permission(target, other.idPrefix, arn),
        ]
      : []),
  ]
}

function permission({ region = 'REGION', username }: ConnectionTarget, idPrefix: string, arn = ''): string {
  const [, partition = 'aws', , , account = 'ACCOUNT_ID'] = arn.split(':')
  const resource = `arn:${partition}:rds-db:${region}:${account}:dbuser:${idPrefix}RESOURCE_ID/${username}`
  return JSON.stringify({ Effect: 'Allow', Action: 'rds-db:connect', Resource: resource })
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html */
function createUser({ username }: ConnectionTarget): string {
  return `CREATE USER ${quoted(username)} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
