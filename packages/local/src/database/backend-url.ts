import type { NetConnectOpts } from 'node:net'
import { LocalAuroraError } from '../errors.ts'

/** A database that runs already, and the account to use it by. */
export interface BackendAddress {
  readonly socket: NetConnectOpts
  readonly user: string
  readonly password: string
  /** Undefined where the URL names none. */
  readonly database: string | undefined
}

const EXPECTED =
  'expected mysql://user:password@host:port/database, or mysql://user:password@localhost/database?socketPath=/path'

/**
 * Reads the URL of a database: `mysql://user:password@host:port/database`, port 3306 where it is left out, or
 * with `?socketPath=` the path of a Unix socket, which goes before the host.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`; the URL is not repeated, it holds a password
 */
export function parseBackendUrl(text: string): BackendAddress {
  // Its own error would hold the whole input, so it is no cause either.
  if (!URL.canParse(text)) throw invalid('not a URL')
  const url = new URL(text)
  if (url.protocol !== 'mysql:') throw invalid(`the scheme is ${JSON.stringify(url.protocol)}`)
  for (const name of url.searchParams.keys())
    if (name !== 'socketPath') throw invalid(`the parameter ${JSON.stringify(name)} is unknown`)
  if (url.hash !== '') throw invalid("a '#' must be written %23")
  const user = decode(url.username, 'user')
  if (user === '') throw invalid('the user is missing')
  const path = url.searchParams.get('socketPath')
  if (path === '') throw invalid('socketPath is empty')
  if (path === null && url.hostname === '') throw invalid('the host is missing')
  // URL keeps the brackets of an IPv6 address, sockets want none.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const database = decode(url.pathname.slice(1), 'database')
  return {
    socket: path === null ? { host, port: Number(url.port === '' ? 3306 : url.port) } : { path },
    user,
    password: decode(url.password, 'password'),
    database: database === '' ? undefined : database,
  }
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(`the ${part} holds a '%' that is not followed by two hexadecimal digits: write %25`)
  }
}

function invalid(problem: string): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', `backend: ${problem}; ${EXPECTED}`, {
    option: 'backend',
  })
}
