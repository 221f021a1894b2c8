import {
  AuroraIamError,
  assertPasswordEncoded,
  assertUrlGiven,
  decodeUrlPart,
} from '@aurora-iam/core/adapter'
import type { NodeOptions } from './data-source-types.ts'

const PROTOCOLS = ['mysql:', 'mariadb:']

/**
 * Returns `node` with the parts of its `url` in place of it.
 *
 * Assumption 6: in TypeORM the `url` wins over the options beside it, and what comes after `?` is ignored.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a `url` that is undefined, or no URL of MySQL. It
 * is never shown: it may hold a password.
 */
export function expandUrl<T extends NodeOptions>(node: T): T {
  assertUrlGiven(node, { option: 'url', instead: 'host, username and database' })
  const { url, ...rest } = node
  if (!url) return node
  const said = Object.entries(partsOf(url)).filter(([, value]) => value !== '')
  return { ...rest, ...Object.fromEntries(said) } as T
}

function partsOf(url: string): NodeOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !PROTOCOLS.includes(parsed.protocol)) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'url: expected mysql://username@host:port/database. Or give host, port, username and database as options.',
      { option: 'url' },
    )
  }
  assertPasswordEncoded(parsed, 'url')
  const decode = (part: string) => decodeUrlPart(part, 'url')
  return {
    host: parsed.hostname,
    ...(parsed.port !== '' && { port: Number(parsed.port) }),
    username: decode(parsed.username),
    password: decode(parsed.password),
    database: decode(parsed.pathname.slice(1)),
  }
}
