import { AuroraIamError } from '../errors.ts'
import { ownProperties } from '../util/own-properties.ts'
import { type Address, assertDialable, invalidAddress, readDial, readPort } from './address.ts'
import { regionUnknown } from './configured-region.ts'
import {
  assertRdsHost,
  assertSignableHostname,
  type EndpointKind,
  isRegion,
  parseRdsHostname,
} from './rds-hostname.ts'

/** Target of a token: the three names as the AWS SDK's signer has them. */
export interface TokenTarget {
  /** The endpoint name that RDS issued. */
  readonly hostname: string
  /** The port of the database itself: it is part of the signature. */
  readonly port: number
  /** The database user, case-sensitive. */
  readonly username: string
}

/** One database login: what is signed and verified, and where the socket goes. */
export interface ConnectionTarget extends TokenTarget {
  /** Undefined until it is read from the AWS configuration. */
  readonly region: string | undefined
  readonly kind: EndpointKind
  /** Where every connection goes; undefined where a function of the caller decides for each of them. */
  readonly fixedAddress: Address | undefined
  /**
   * Returns where to open a socket for `token`, which is this target or its copy with another `username`: at `hostname`
   * and `port`, or at the tunnel or private address that the caller named. It calls the caller's function, so it is
   * called once for each connection, after the wait for its permit.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_UNKNOWN_OPTION` for a result that
   * is no address; and the error that the caller's function throws
   */
  readonly dial: (token: TokenTarget) => Address
}

/** Address and user of a connection, as the driver names them. */
export interface DriverAddress {
  readonly host: string | undefined
  readonly port: number | string | undefined
  readonly user: string | undefined
}

/** The options by which an address of the driver becomes a {@link ConnectionTarget}. */
export interface TargetOptions {
  readonly region?: string | undefined
  readonly hostname?: string | undefined
  readonly port?: number | undefined
  readonly dial?: Partial<Address> | ((target: TokenTarget) => Partial<Address>) | undefined
}

// What the caller calls the host and the user, for messages.
const DRIVER_WORDS = { host: 'host', user: 'user' } as const

/**
 * Decides what to sign, what to verify and what to dial for an address of the driver.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_HOST_NOT_SIGNABLE`, `ERR_AURORA_IAM_REGION_UNKNOWN`,
 * `ERR_AURORA_IAM_CONFLICTING_OPTIONS`, `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_UNKNOWN_OPTION`
 */
export function resolveTarget(
  { host, port, user }: DriverAddress,
  given: TargetOptions,
  words: { readonly host: string; readonly user: string } = DRIVER_WORDS,
): ConnectionTarget {
  const options = ownProperties(given)
  if (typeof user !== 'string' || user === '') {
    throw invalidAddress(words.user, 'expected the name of a database user that is enabled for IAM', user)
  }
  if (host !== undefined && typeof host !== 'string')
    throw invalidAddress(words.host, 'expected a string', host)
  const name = options.hostname ?? host
  if (!name) throw invalidAddress(words.host, 'expected the endpoint of the database', host)
  const dialledPort = readPort(port ?? 3306, 'port')
  const named =
    options.hostname === undefined
      ? assertRdsHost(name, words.host)
      : nameOf(assertSignableHostname(name, 'hostname'))
  // Beside `hostname` the host is the one dialled, whatever its name.
  if (host) assertDialable(host, words.host, 'Give the name alone')
  const token: TokenTarget = {
    hostname: named.hostname,
    port: options.port === undefined ? dialledPort : readPort(options.port, 'port'),
    username: user,
  }
  const region = regionOf(named, options.region)
  const dial = ({ hostname, port, username }: TokenTarget): Address => {
    const place = options.dial
    const away = readDial(typeof place === 'function' ? () => place({ hostname, port, username }) : place)
    return {
      host: away.host ?? (options.hostname && host ? host : named.hostname),
      port: away.port ?? dialledPort,
    }
  }
  return {
    ...token,
    region,
    kind: named.kind,
    // An address that is invalid is refused now. A function may count or reserve, so it is called for connections
    // alone.
    fixedAddress: typeof options.dial === 'function' ? undefined : dial(token),
    dial,
  }
}

/** Returns the target of a token that the caller names in the AWS SDK's words. */
export function resolveTokenTarget(target: TokenTarget, options: TargetOptions): ConnectionTarget {
  return resolveTarget(
    { host: target.hostname, port: target.port, user: target.username },
    { region: options.region, hostname: target.hostname },
    { host: 'hostname', user: 'username' },
  )
}

function nameOf(hostname: string): { hostname: string; kind: EndpointKind; region: string | undefined } {
  return parseRdsHostname(hostname) ?? { hostname, kind: 'other', region: undefined }
}

function regionOf(
  { hostname, kind, region }: { hostname: string; kind: EndpointKind; region: string | undefined },
  given: string | undefined,
): string | undefined {
  if (region !== undefined && given !== undefined && given !== region) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      `region: '${given}' contradicts '${hostname}', which is in ${region}. Leave \`region\` out: the name tells it.`,
      { option: 'region' },
    )
  }
  // Its name has no Region and moves between Regions: a Region from the environment would be a guess.
  if (kind === 'global-writer' && given === undefined) {
    throw regionUnknown(
      `'${hostname}' is the writer endpoint of a global database, whose name has no Region; the token must be ` +
        "signed for the Region of the current writer. Connect to that Region's cluster endpoint instead, or say where the writer is",
    )
  }
  const configured = process.env.AWS_REGION ?? ''
  return given ?? region ?? (isRegion(configured) ? configured : undefined)
}
