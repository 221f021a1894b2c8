import { AuroraIamError } from '../errors.ts'
import { type DescribeOptions, describe, describeName } from '../util/describe.ts'
import { ownProperties } from '../util/own-properties.ts'
import { isDialable } from './rds-hostname.ts'
import { strayParts } from './stray-parts.ts'

/** A TCP address. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Returns `value` as a TCP port.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function readPort(value: unknown, option: string): number {
  const port = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw invalidAddress(option, 'expected a port from 1 to 65535', value, { showNumber: true })
}

/** Parts of an address that `dial` returned. Both are own properties, so that nothing on `Object.prototype` is read. */
interface AddressPart {
  readonly host: string | undefined
  readonly port: number | undefined
}

/**
 * Returns what `dial` names of an address: an object, or the result of a function.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` or `ERR_AURORA_IAM_UNKNOWN_OPTION` for what is no
 * address; and the error that the function throws
 */
export function readDial(dial: Partial<Address> | (() => Partial<Address>) | undefined): AddressPart {
  if (dial === undefined) return { host: undefined, port: undefined }
  const address: Partial<Address> = typeof dial === 'function' ? callDial(dial) : dial
  if (typeof address !== 'object' || address === null || address instanceof Promise) {
    throw invalidAddress('dial', 'expected an address { host, port }, not a promise of one', address)
  }
  const unknown = Object.keys(address).find((name) => name !== 'host' && name !== 'port')
  if (unknown !== undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_UNKNOWN_OPTION',
      `dial.${describeName(unknown)}: not part of an address. Known: host, port.`,
      { option: `dial.${describeName(unknown)}` },
    )
  }
  const { host, port } = ownProperties(address)
  if (host !== undefined) assertDialable(host, 'dial.host', 'Give `dial: { host, port }`')
  return { host, port: port === undefined ? undefined : readPort(port, 'dial.port') }
}

/**
 * Calls the caller's function. Drivers write to the errors that they pass on, so that nothing but an object is passed.
 */
function callDial(dial: () => Partial<Address>): Partial<Address> {
  try {
    return dial()
  } catch (error) {
    // An error of another realm, as in Jest, is no instance of `Error` here.
    if (typeof (error as Partial<Error> | null | undefined)?.message === 'string') throw error
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `dial: expected an address { host, port } or an Error, and the function threw ${describe(error)}.`,
      { option: 'dial', cause: error },
    )
  }
}

/**
 * Throws for a host to connect to that is no host name and no address: it would only be missed in the DNS.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function assertDialable(host: unknown, option: string, remedy: string): void {
  const expected = 'expected a host name or an IP address'
  if (typeof host !== 'string') throw invalidAddress(option, expected, host)
  if (isDialable(host)) return
  const stray = strayParts(host)
  if (!stray) throw invalidAddress(option, expected, host)
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${option}: there is ${stray.parts.join(' and ')} beside the name. ${remedy}.`,
    { option },
  )
}

/** Returns the error for a part of an address that cannot be used. */
export function invalidAddress(
  option: string,
  expected: string,
  value: unknown,
  shown?: DescribeOptions,
): AuroraIamError {
  const remedy =
    value === undefined
      ? '. There is no default under IAM. If it comes from an environment variable, the variable is not set'
      : ''
  return new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${option}: ${expected}, got ${describe(value, shown)}${remedy}.`,
    { option },
  )
}
