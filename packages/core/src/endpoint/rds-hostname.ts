import { isIP } from 'node:net'
import { AuroraIamError } from '../errors.ts'
import { partsAround, strayParts } from './stray-parts.ts'

/** Kind of endpoint of an RDS host name. `other` is an RDS name of a shape this version does not know. */
export type EndpointKind =
  | 'cluster'
  | 'cluster-ro'
  | 'cluster-custom'
  | 'instance'
  | 'proxy'
  | 'proxy-endpoint'
  | 'global-writer'
  | 'other'

/** Parts of a host name. */
export interface RdsHostname {
  /** The name that is signed: lower case, no trailing dot. */
  readonly hostname: string
  readonly kind: EndpointKind
  /** The Region in the name; undefined for the global writer, whose name has none. */
  readonly region: string | undefined
}

// By shape, not by list, so that Regions not yet born work: us-east-1, us-gov-west-1, us-isob-east-1, eusc-de-east-1.
const REGION = /^[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}$/

// The DNS suffixes of the AWS partitions (botocore's partitions.json).
const SUFFIX =
  /^(amazonaws\.com(\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/

// A DNS name of two labels or more. ASCII alone: `toLowerCase` turns letters of other alphabets into it.
const DNS_NAME = /^(?=.{1,254}$)([a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?(\.|$)){2,}$/

const LOAD_BALANCER = /\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/

const PREFIXED_KINDS: ReadonlyArray<readonly [prefix: string, kind: EndpointKind]> = [
  ['cluster-ro-', 'cluster-ro'],
  ['cluster-custom-', 'cluster-custom'],
  ['cluster-', 'cluster'],
  ['proxy-', 'proxy'],
  ['global-', 'global-writer'],
]

const GIVE_ENDPOINT =
  'Give the endpoint of the database, such as mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'

/** Returns whether `value` has the shape of an AWS Region. */
export function isRegion(value: string): boolean {
  return REGION.test(value)
}

/** Returns true for an endpoint of RDS Proxy. */
export function isProxyKind(kind: EndpointKind): boolean {
  return kind === 'proxy' || kind === 'proxy-endpoint'
}

/**
 * Returns `host` in the form that is compared and signed: endpoints are issued in lower case, and DNS allows a trailing
 * dot.
 */
function normalizeHostname(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

/**
 * Reads an RDS endpoint name, of every kind and partition.
 *
 * @returns undefined when `host` is no RDS endpoint name (an IP address, a CNAME, `localhost`, a load balancer).
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html
 */
export function parseRdsHostname(host: string): RdsHostname | undefined {
  if (!DNS_NAME.test(host)) return undefined
  const hostname = normalizeHostname(host)
  const labels = hostname.split('.')
  const service = labels.findLastIndex((label) => label === 'rds' || label === 'rds-fips')
  if (service < 1) return undefined

  // `….REGION.rds.amazonaws.com`, or in China and the ISO partitions `….rds.REGION.amazonaws.com.cn`.
  const after = labels[service + 1] ?? ''
  const regionComesAfter = isRegion(after)
  const region = regionComesAfter ? after : (labels[service - 1] ?? '')
  const suffix = labels.slice(service + (regionComesAfter ? 2 : 1)).join('.')
  const front = labels.slice(0, regionComesAfter ? service : service - 1)
  if (!SUFFIX.test(suffix) || front.length === 0) return undefined

  const kind = kindOf(front)
  if (region === 'global' && kind === 'global-writer') return { hostname, kind, region: undefined }
  return isRegion(region) ? { hostname, kind, region } : undefined
}

function kindOf(front: readonly string[]): EndpointKind {
  const group = front[front.length - 1] as string
  const prefixed = PREFIXED_KINDS.find(([prefix]) => group.startsWith(prefix))?.[1]
  if (front.length === 2) return prefixed ?? 'instance'
  if (front.length === 3 && front[1] === 'endpoint' && prefixed === 'proxy') return 'proxy-endpoint'
  return 'other'
}

/**
 * Returns the name to sign when the caller gave only the driver's `host`: it must be an RDS endpoint name, because the
 * database compares the signed name with its own.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_HOST_NOT_SIGNABLE` with what to do instead.
 */
export function assertRdsHost(host: string, option: string): RdsHostname {
  const parsed = parseRdsHostname(host)
  if (parsed) return parsed
  throw notSignable(
    host,
    option,
    `it is not an RDS endpoint name. ${
      isDialable(host)
        ? 'Give the endpoint of the database as `hostname`: it is signed and verified, and the host is still the one dialled'
        : GIVE_ENDPOINT
    }`,
  )
}

/**
 * Returns the name to sign when the caller names it in `hostname`: any DNS name but loopback and addresses.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_HOST_NOT_SIGNABLE`
 */
export function assertSignableHostname(hostname: string, option: string): string {
  const name = normalizeHostname(hostname)
  if (isDnsName(hostname) && !isIP(name) && !isLoopbackName(name) && !LOAD_BALANCER.test(name)) return name
  throw notSignable(hostname, option, `RDS did not issue it. ${GIVE_ENDPOINT}`)
}

/** Returns true for an IP address, and for a text with the characters of a host name, in any alphabet. */
export function isDialable(host: string): boolean {
  return /^[\w.-]+$/.test(host) || isIP(host) !== 0 || new RegExp(OTHER_ALPHABETS, 'u').test(host)
}

// A text, because V8 reads the tables of Unicode for a literal as soon as it loads the file: 1 % of a start.
const OTHER_ALPHABETS = '^[\\p{L}\\p{M}\\p{N}._-]+$'

/** Returns true for a DNS name of two labels or more. */
function isDnsName(text: string): boolean {
  return DNS_NAME.test(text)
}

function notSignable(host: string, option: string, remedy: string): AuroraIamError {
  const stray = strayParts(host) ?? partsAround(host, (name) => parseRdsHostname(name) !== undefined)
  const problem =
    stray && (isDnsName(stray.name) || isLoopbackName(stray.name))
      ? `there is ${list(stray.parts)} beside the name. Give the name alone: '${stray.name}'. ${stray.remedies.join(' ')}`
      : `no IAM token can be signed for ${whatItIs(host)}: ${remedy}.`
  return new AuroraIamError('ERR_AURORA_IAM_HOST_NOT_SIGNABLE', `${option}: ${problem}`.trimEnd(), { option })
}

function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost')
}

/** Describes `host`. Anything but an address or a full name is not repeated: it may be a password. */
function whatItIs(host: string): string {
  const name = normalizeHostname(host)
  if (isIP(name)) return `${name} (an IP address)`
  if (isLoopbackName(name)) return `${name} (this machine)`
  if (LOAD_BALANCER.test(name)) return `${name} (a load balancer)`
  if (isDnsName(host)) return `${name} (a CNAME, or another name that RDS did not issue)`
  if (/^[\w-]+$/.test(name)) return `a name without a domain (${name.length} characters)`
  return `a text that is no host name (${host.length} characters)`
}
