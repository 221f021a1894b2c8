import type { NetConnectOpts } from 'node:net'
import { LocalAuroraError } from '../errors.ts'

/** Address of a database that runs already, and the account to log in with. */
export interface BackendAddress {
  readonly socket: NetConnectOpts
  readonly user: string
  readonly password: string
  /** Name of the database; undefined if the URL has none. */
  readonly database: string | undefined
}

const EXPECTED =
  'expected mysql://user:password@host:port/database, or mysql://user:password@localhost/database?socketPath=/path'

/**
 * Parses the URL of a database: `mysql://user:password@host:port/database`. The port is 3306 if it is left out. A Unix
 * socket in `?socketPath=` wins over the host.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`. It does not quote the URL, which holds a password
 */
export function parseBackendUrl(text: string): BackendAddress {
  // The error of `new URL` has the whole input, so it must not become a `cause`.
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
  // URL keeps the brackets of an IPv6 address, which sockets do not accept.
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
