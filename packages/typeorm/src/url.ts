import { AuroraIamError } from '@aurora-iam/core'
import type { NodeOptions } from './data-source-types.ts'

const PROTOCOLS = ['mysql:', 'mariadb:']

/**
 * Returns `node` with the parts of its `url` in place of it.
 *
 * Assumption 6: in TypeORM the `url` wins over the options beside it, and what comes after `?` is ignored.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a `url` that is undefined, or no URL of MySQL. It is
 * never shown: it may hold a password.
 */
export function expandUrl<T extends NodeOptions>(node: T): T {
  const { url, ...rest } = node
  if (url === undefined && Object.hasOwn(node, 'url') && rest.host === undefined) {
    throw invalid(
      'undefined. The environment variable that it is read from is probably not set. Set it, or give host, username and ' +
        'database as options',
    )
  }
  if (url === undefined || url === '') return node
  const said = Object.entries(partsOf(url)).filter(([, value]) => value !== '')
  return { ...rest, ...Object.fromEntries(said) } as T
}

function partsOf(url: unknown): NodeOptions {
  try {
    const parsed = new URL(url as string)
    if (!PROTOCOLS.includes(parsed.protocol)) throw new TypeError('another protocol')
    return {
      host: parsed.hostname,
      ...(parsed.port !== '' && { port: Number(parsed.port) }),
      username: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
      database: decodeURIComponent(parsed.pathname.slice(1)),
    }
  } catch {
    throw invalid(
      'expected mysql://username@host:port/database. Or give host, port, username and database as options',
    )
  }
}

function invalid(problem: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', `url: ${problem}.`, { option: 'url' })
}
