import type { Address } from '@aurora-iam/core'
import type { ConnectionTarget } from '@aurora-iam/core/adapter'
import { WireError } from '@aurora-iam/wire'

/** State of the connection when it failed. */
export interface NetworkEvidence {
  readonly dialled: Address
  /** True if TCP was established. */
  readonly isConnected: boolean
  /** Bytes that were received in place of a greeting. */
  readonly received: Buffer
}

/** Servers other than MySQL, by the first bytes that they send. */
const OTHER_SERVERS: ReadonlyArray<readonly [begin: RegExp, name: string]> = [
  [/^SSH-/, 'an SSH server'],
  [/^HTTP\//, 'an HTTP server'],
  [/^(220|554)[ -]/, 'a mail or FTP server'],
]

/** Returns what to do about a connection that failed before the greeting of the server. */
export function networkRemedies(
  error: Error,
  { hostname, port }: ConnectionTarget,
  { dialled, isConnected, received }: NetworkEvidence,
): string[] {
  const { host } = dialled
  const isDirect = host === hostname
  switch (codeOf(error)) {
    case 'ENOTFOUND':
      return isDirect
        ? [
            'No such name. Compare --host with the endpoint that `aws rds describe-db-clusters` or',
            '`aws rds describe-db-instances` returns: a deleted or renamed database loses its name.',
          ]
        : [`No such name as ${host}. Correct --dial (or --host, if --hostname names the database).`]
    case 'EAI_AGAIN':
      return ['The DNS resolver of this machine does not answer. Check the network, a VPN, /etc/resolv.conf.']
    case 'ECONNREFUSED':
      return isDirect
        ? [
            `No server listens on port ${dialled.port} there. Give the port of the database as --port; a database that is`,
            'stopped or starting refuses as well: `aws rds describe-db-instances` returns its status.',
          ]
        : [`Nothing listens at ${host}:${dialled.port}. Start the tunnel, or correct --dial.`]
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return ['There is no route to that address. Connect the VPN, or dial a tunnel: --dial <host:port>.']
    case 'ECONNRESET':
    case 'ERR_WIRE_CLOSED':
      return isDirect
        ? ['What listens there closed the connection. Check that --port is the port of the database.']
        : [
            `What listens at ${host}:${dialled.port} closed the connection: a tunnel whose far end does not reach the database.`,
            `Check that it leads to ${hostname}:${port}.`,
          ]
    default:
      return isConnected ? noGreetingRemedies(received, dialled) : unreachableRemedies(isDirect, dialled)
  }
}

function noGreetingRemedies(received: Buffer, { host, port }: Address): string[] {
  const begin = received.subarray(0, 8).toString('latin1')
  const other = OTHER_SERVERS.find(([pattern]) => pattern.test(begin))?.[1]
  if (other)
    return [`${host}:${port} is ${other}, not MySQL. Give the port of the database: --port, or --dial.`]
  if (received.length > 0)
    return [`What answers at ${host}:${port} is not a MySQL server. Correct --port, or --dial.`]
  return [
    `Something at ${host}:${port} accepts connections and does not greet as MySQL does. An HTTP, PostgreSQL or TLS server`,
    'does that (correct --port), and so does a tunnel or load balancer whose far end does not answer.',
  ]
}

function unreachableRemedies(isDirect: boolean, { host, port }: Address): string[] {
  if (!isDirect)
    return [`Nothing answers at ${host}:${port}. Check that the machine is up, and its firewall.`]
  return [
    'Packets are dropped on the way. A security group of the database must allow this machine on its port; a database',
    'without public access is reached from its VPC only, by VPN or by a tunnel (--dial <host:port>).',
  ]
}

/** Returns the code. Node's error for a name with several addresses has the code of the first of them. */
function codeOf(error: Error): unknown {
  const cause = error instanceof WireError && error.cause instanceof Error ? error.cause : error
  return (cause as NodeJS.ErrnoException).code
}
