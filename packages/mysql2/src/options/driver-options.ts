import {
  AuroraIamError,
  assertNoIamOptions,
  assertOptionsObject as assertObject,
  describe,
  ownProperties,
} from '@aurora-iam/core/adapter'
import type { Mysql2Options } from '../driver-types.ts'
import { iamOfHooks } from '../hooks-registry.ts'

const PASSWORDS = ['password', 'password1', 'password2', 'password3', 'passwordSha1'] as const

// Each would take the place of something that this package must do itself, or carry the token past TLS.
const RESERVED_OPTIONS: ReadonlyArray<readonly [option: string, remedy: string]> = [
  ['stream', 'To connect elsewhere than to `host`, give `dial` in the second argument'],
  ['socketPath', 'A token only goes over verified TLS to the name it is signed for. Give `host` and `port`'],
  ['authSwitchHandler', 'It would answer in place of the token. Leave it out'],
  [
    'enableCleartextPlugin',
    'It would allow a password in clear text. Leave it out: the token is handed over without it',
  ],
  ['insecureAuth', 'Leave it out'],
  ['isServer', 'Leave it out'],
]

/**
 * Throws for options that are no object, that went through withAuroraIam before, or that belong into the second
 * argument.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`, `…_CONFLICTING_OPTIONS` or `…_UNKNOWN_OPTION`
 */
export function assertOptionsObject(options: unknown): asserts options is Mysql2Options {
  assertObject(options, { option: 'options', shape: 'such as { host, user, database }', url: 'uri' })
  if (iamOfHooks(options)) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'stream: these options went through withAuroraIam before. Pass them to the driver unchanged.',
      { option: 'stream' },
    )
  }
  assertNoIamOptions(options)
}

/**
 * Throws for options of mysql2 that contradict IAM.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_PASSWORD_GIVEN` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`, with the
 * option's name and the remedy
 */
export function assertDriverOptions(options: Mysql2Options): void {
  assertNoIamOptions(options)
  const given = ownProperties(options) as Record<string, unknown>
  for (const option of PASSWORDS) {
    if (isAbsent(given[option])) continue
    throw new AuroraIamError(
      'ERR_AURORA_IAM_PASSWORD_GIVEN',
      `${option}: the IAM token takes its place. Leave it out, or give \`enabled: false\` for the plain password path.`,
      { option },
    )
  }
  for (const [option, remedy] of RESERVED_OPTIONS)
    if (!isAbsent(given[option])) throw conflict(option, remedy)
  if (given.debug) {
    throw conflict(
      'debug',
      "mysql2 would print the token's packet. Subscribe to the `aurora-iam:` channels of node:diagnostics_channel instead",
    )
  }
  const { authPlugins, connectTimeout } = given as Mysql2Options
  if (connectTimeout !== undefined && !isTimeLimit(connectTimeout)) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `connectTimeout: expected milliseconds, 0 for no limit, got ${describe(connectTimeout, { showNumber: true })}.`,
      { option: 'connectTimeout' },
    )
  }
  if (authPlugins !== undefined && (typeof authPlugins !== 'object' || authPlugins === null)) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `authPlugins: expected an object, got ${describe(authPlugins)}.`,
      { option: 'authPlugins' },
    )
  }
  if (authPlugins && Object.hasOwn(authPlugins, 'mysql_clear_password')) {
    throw conflict(
      'authPlugins.mysql_clear_password',
      'It is how the token is handed over. Leave it out; other plugins are kept',
    )
  }
}

/**
 * Checks the options of the plain password path, for `enabled: false`: none may be of IAM.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertPlainPassword(options: Mysql2Options): void {
  if (options.password === undefined && options.uri === undefined && options.passwordSha1 === undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      "password: missing, and IAM is switched off by `enabled: false`. Give the password ('' for a user that has none), or switch IAM on.",
      { option: 'password' },
    )
  }
}

/** Returns whether `value` is what configuration files and URLs write for "none". */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === false
}

function isTimeLimit(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0
}

function conflict(option: string, remedy: string): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    `${option}: cannot be combined with IAM. ${remedy}.`,
    {
      option,
    },
  )
}
