import { readCredentials } from './credentials/resolved-credentials.ts'
import { readPort } from './endpoint/address.ts'
import { isRegion } from './endpoint/rds-hostname.ts'
import { AuroraIamError } from './errors.ts'
import type { AuroraIamOptions } from './options.ts'
import { LONGEST_TIMER_MS, SHORTEST_LIFETIME_MS, SHORTEST_RESUME_MS, SHORTEST_WATCH_MS } from './timings.ts'
import { readCertificateAuthorities } from './tls/certificate-authorities.ts'
import { type DescribeOptions, describe, describeName } from './util/describe.ts'
import { isDuration, isObjectOrFunction } from './util/validate.ts'

const DURATIONS = ['maxWaitMs', 'tcpTimeoutMs', 'refreshBeforeMs', 'credentialsTimeoutMs'] as const

const KNOWN: ReadonlySet<string> = new Set<keyof AuroraIamOptions>([
  'region',
  'credentials',
  'profile',
  'hostname',
  'port',
  'dial',
  'tokenProvider',
  'rateLimit',
  'ca',
  'requireWriter',
  'maxLifetimeMs',
  'watchEndpointMs',
  'retireDemoted',
  'resumeTimeoutMs',
  'retryRejectedLogins',
  'enabled',
  'clock',
  ...DURATIONS,
])

/** Returns true for the name of an option of {@link AuroraIamOptions}. */
export function isOptionName(name: string): boolean {
  return KNOWN.has(name)
}

/**
 * Checks everything about `options` that can be known without a host or the network.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_UNKNOWN_OPTION`, `…_INVALID_OPTION`, `…_PASSWORD_GIVEN` or
 * `…_CONFLICTING_OPTIONS`
 */
export function assertOptions(options: AuroraIamOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const given = typeof options === 'string' ? 'a string' : describe(options)
    throw invalidIam(`expected options or what createAuroraIam returned, got ${given}.`)
  }
  for (const name of Object.keys(options)) if (!KNOWN.has(name)) throw unknownOption(name)

  expectType(options, 'enabled', 'boolean', "true or false (a string such as 'false' would switch IAM on)")
  expectType(options, 'requireWriter', 'boolean', 'true or false')
  expectType(options, 'retireDemoted', 'boolean', 'true or false')
  expectDurationFrom(options, 'maxLifetimeMs', SHORTEST_LIFETIME_MS)
  expectDurationFrom(options, 'watchEndpointMs', SHORTEST_WATCH_MS)
  expect(
    options,
    'resumeTimeoutMs',
    (value) => isDuration(value) && value >= SHORTEST_RESUME_MS,
    `milliseconds from ${SHORTEST_RESUME_MS} to ${LONGEST_TIMER_MS}`,
    { showNumber: true },
  )
  expectType(options, 'retryRejectedLogins', 'boolean', 'true or false')
  expectType(options, 'hostname', 'string', 'an RDS endpoint name')
  expectType(options, 'profile', 'string', 'the name of a profile')
  expectType(options, 'clock', 'function', 'a function that returns epoch milliseconds')
  expectType(options, 'tokenProvider', 'function', 'a function that returns a token')
  expect(
    options,
    'region',
    (value) => typeof value === 'string' && isRegion(value),
    "a Region such as 'eu-west-1'",
  )
  expect(options, 'dial', isObjectOrFunction, 'an address { host, port }, or a function that returns one')
  expect(
    options,
    'credentials',
    isObjectOrFunction,
    'an AWS credentials object, or a function that returns one',
  )
  for (const name of DURATIONS)
    expect(options, name, isDuration, 'milliseconds: a number from 0 to 2147483647', { showNumber: true })
  if (options.ca !== undefined) readCertificateAuthorities(options.ca, 'ca')
  if (options.port !== undefined) readPort(options.port, 'port')
  if (options.tokenProvider && (options.credentials !== undefined || options.profile !== undefined)) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'tokenProvider: it issues the tokens, so `credentials` and `profile` would never be used. Leave them out.',
      { option: 'tokenProvider' },
    )
  }
  if (typeof options.credentials === 'object') readCredentials(options.credentials)
}

function invalidIam(problem: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', `iam: ${problem}`, { option: 'iam' })
}

function unknownOption(name: string): AuroraIamError {
  if (name === 'password') {
    return new AuroraIamError(
      'ERR_AURORA_IAM_PASSWORD_GIVEN',
      'password: the token replaces it. For the plain password path give `enabled: false`, and the password to the driver.',
      { option: name },
    )
  }
  const meant = [...KNOWN].find((known) => nearName(known) === nearName(name))
  const remedy =
    meant === undefined
      ? `Options of the driver go into the first argument. Known: ${[...KNOWN].sort().join(', ')}.`
      : `Write \`${meant}\`.`
  return new AuroraIamError(
    'ERR_AURORA_IAM_UNKNOWN_OPTION',
    `${describeName(name)}: not an option of aurora-iam. ${remedy}`,
    { option: describeName(name) },
  )
}

/** Returns `name` without what is easily wrong in it: case, a separator, the unit. */
function nearName(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '').replace(/ms$/, '')
}

function expectType<Name extends keyof AuroraIamOptions>(
  options: AuroraIamOptions,
  name: Name,
  type: 'boolean' | 'string' | 'function',
  expected: string,
): void {
  expect(options, name, (value) => typeof value === type && value !== '', expected)
}

function expectDurationFrom(
  options: AuroraIamOptions,
  name: 'maxLifetimeMs' | 'watchEndpointMs',
  shortest: number,
): void {
  const isValid = (value: unknown) => value === false || (isDuration(value) && value >= shortest)
  const expected = `milliseconds from ${shortest} to ${LONGEST_TIMER_MS}, or false for none`
  expect(options, name, isValid, expected, { showNumber: true })
}

function expect(
  options: AuroraIamOptions,
  name: keyof AuroraIamOptions,
  isValid: (value: unknown) => boolean,
  expected: string,
  shown?: DescribeOptions,
): void {
  const value = options[name]
  if (value === undefined || isValid(value)) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${name}: expected ${expected}, got ${describe(value, shown)}.`,
    { option: name },
  )
}
