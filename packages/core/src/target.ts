import { assertRdsHost, assertSignableHostname, type EndpointKind, parseRdsHostname } from './endpoint.ts'
import { AuroraIamError, describe } from './errors.ts'
import { regionUnknown } from './region.ts'

/** A TCP address. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** What a token is signed for: the three names as the AWS SDK's signer has them. */
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
  /** undefined: not known before the AWS SDK's configuration is asked. */
  readonly region: string | undefined
  readonly kind: EndpointKind
  /** Where to connect: `hostname` and `port`, unless a tunnel or private address stands before them. */
  readonly dial: Address
}

/** Where a driver wants to go, in the driver's words. */
export interface DriverAddress {
  readonly host: string | undefined
  readonly port: number | string | undefined
  readonly user: string | undefined
}

/** The options that say how an address of the driver becomes a {@link ConnectionTarget}. */
export interface TargetOptions {
  readonly region?: string | undefined
  readonly hostname?: string | undefined
  readonly port?: number | undefined
  readonly dial?: Partial<Address> | ((target: TokenTarget) => Partial<Address>) | undefined
}

/**
 * Decides what to sign, what to verify and what to dial for an address of the driver.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_HOST_NOT_SIGNABLE`, `ERR_AURORA_IAM_REGION_UNKNOWN`,
 * `ERR_AURORA_IAM_CONFLICTING_OPTIONS` or `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function resolveTarget(
  address: DriverAddress,
  options: TargetOptions,
  userOption = 'user',
): ConnectionTarget {
  const { host } = address
  if (typeof address.user !== 'string' || address.user === '') {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `${userOption}: expected the name of a database user that is enabled for IAM, got ${describe(address.user)}.`,
      { option: userOption },
    )
  }
  if (host !== undefined && typeof host !== 'string') {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `host: expected a string, got ${describe(host)}.`,
      {
        option: 'host',
      },
    )
  }
  if (!options.hostname && !host) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'host: missing. Give the endpoint of the database; there is no default under IAM.',
      { option: 'host' },
    )
  }
  const dialledPort = readPort(address.port ?? 3306, 'port')
  const named = options.hostname
    ? nameOf(assertSignableHostname(options.hostname, 'hostname'))
    : assertRdsHost(host as string, 'host')
  const token: TokenTarget = {
    hostname: named.hostname,
    port: options.port ?? dialledPort,
    username: address.user,
  }
  const region = regionOf(named, options.region)
  const away = typeof options.dial === 'function' ? options.dial(token) : options.dial
  return {
    ...token,
    region,
    kind: named.kind,
    dial: {
      host: away?.host ?? (options.hostname && host ? host : named.hostname),
      port: away?.port === undefined ? dialledPort : readPort(away.port, 'dial.port'),
    },
  }
}

/** What a token for `target` is signed for, when the caller names it in the AWS SDK's words. */
export function resolveTokenTarget(target: TokenTarget, options: TargetOptions): ConnectionTarget {
  return resolveTarget(
    { host: target.hostname, port: target.port, user: target.username },
    { region: options.region, hostname: target.hostname },
    'username',
  )
}

/**
 * `value` as a TCP port.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function readPort(value: unknown, option: string): number {
  const port = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${option}: expected a port from 1 to 65535, got ${describe(value)}.`,
    { option },
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
  return given ?? region ?? process.env['AWS_REGION']
}
