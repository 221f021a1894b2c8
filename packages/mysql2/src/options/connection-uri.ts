import { AuroraIamError } from '@aurora-iam/core'
import type { Mysql2Options } from '../driver-types.ts'

/**
 * Returns `options` with the parts of its `uri`, as mysql2 would: an option beside it wins. The `uri`
 * itself is left out, because mysql2 would read it again.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a `uri` that is no mysql URL. It is never
 * shown: it may hold a password.
 */
export function expandUri(options: Mysql2Options): Mysql2Options {
  const { uri, ...rest } = options
  if (uri === undefined) return options
  const parsed = URL.canParse(uri) ? new URL(uri) : undefined
  if (parsed?.protocol !== 'mysql:') {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'uri: expected mysql://user@host:port/database. Or give host, port, user and database as options.',
      { option: 'uri' },
    )
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== '')
  return { ...partsOf(parsed), ...Object.fromEntries(given) }
}

function partsOf(url: URL): Record<string, unknown> {
  const parts: Record<string, unknown> = {
    host: decode(url.hostname),
    port: url.port === '' ? undefined : Number(url.port),
    user: decode(url.username),
    password: decode(url.password),
    database: decode(url.pathname.slice(1)),
  }
  for (const [name, value] of url.searchParams) parts[name] = readParameter(value)
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined && value !== ''))
}

/** Decodes a part of the URL. The cause would show the part, which may be a password. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'uri: it holds a % that begins no character. Encode it as %25.',
      { option: 'uri' },
    )
  }
}

// As in mysql2: a value that is JSON is parsed, any other is a string.
function readParameter(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
