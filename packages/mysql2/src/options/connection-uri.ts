import {
  AuroraIamError,
  assertPasswordEncoded,
  assertUrlGiven,
  decodeUrlPart,
} from '@aurora-iam/core/adapter'
import type { Mysql2Options } from '../driver-types.ts'

/**
 * Returns `options` with the parts of its `uri`, as mysql2 would: an option beside it wins. The `uri`
 * itself is left out, because mysql2 would read it again.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a `uri` that is undefined, or no mysql URL. It is
 * never shown: it may hold a password.
 */
export function expandUri(options: Mysql2Options): Mysql2Options {
  assertUrlGiven(options, { option: 'uri', instead: 'host, user and database' })
  const { uri, ...rest } = options
  if (!uri) return rest
  const parsed = URL.canParse(uri) ? new URL(uri) : undefined
  if (parsed?.protocol !== 'mysql:') {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'uri: expected mysql://user@host:port/database. Or give host, port, user and database as options.',
      { option: 'uri' },
    )
  }
  assertPasswordEncoded(parsed, 'uri')
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== '')
  return { ...partsOf(parsed), ...Object.fromEntries(given) }
}

function partsOf(url: URL): Record<string, unknown> {
  const parts: Record<string, unknown> = {
    host: decodeUrlPart(url.hostname, 'uri'),
    port: url.port && Number(url.port),
    user: decodeUrlPart(url.username, 'uri'),
    password: decodeUrlPart(url.password, 'uri'),
    database: decodeUrlPart(url.pathname.slice(1), 'uri'),
  }
  for (const [name, value] of url.searchParams) parts[name] = readParameter(value)
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''))
}

// As in mysql2: a value that is JSON is parsed, any other is a string.
function readParameter(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
