import {
  AuroraIamError,
  assertPasswordEncoded,
  assertUrlGiven,
  decodeUrlPart,
  describeName,
  ownProperties,
} from '@aurora-iam/core/adapter'
import type { AuroraIamPrismaOptions } from './options.ts'

// Any other protocol may be the beginning of a password.
const OTHER_PROTOCOL = /^(mariadb|postgres(ql)?|prisma|sqlserver|mongodb|file):$/

/**
 * Returns `options` with the parts of their `url` in place of it. A value that is given as an option wins.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a `url` that is undefined, of another database, or
 * has parameters. The message does not contain it, because it may contain a password
 */
export function expandUrl(options: AuroraIamPrismaOptions): AuroraIamPrismaOptions {
  assertUrlGiven(options, { option: 'url', instead: 'host, user and database' })
  const { url, ...rest } = options
  if (!url) return ownProperties(rest)
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'mysql:') {
    const other = parsed && OTHER_PROTOCOL.test(parsed.protocol) ? `, got one of '${parsed.protocol}//'` : ''
    throw invalid(
      `expected mysql://user@host:port/database${other}. Or give host, port, user and database as options`,
    )
  }
  assertPasswordEncoded(parsed, 'url')
  const [parameter] = parsed.searchParams.keys()
  if (parameter !== undefined) {
    throw invalid(
      `its parameter '${describeName(parameter)}' would not be used. Remove the parameters, and give options instead`,
    )
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  return ownProperties({ ...partsOf(parsed), ...Object.fromEntries(given) })
}

function partsOf(url: URL): AuroraIamPrismaOptions {
  const text = (part: string) => (part === '' ? undefined : decodeUrlPart(part, 'url'))
  return {
    host: text(url.hostname),
    port: url.port === '' ? undefined : Number(url.port),
    user: text(url.username),
    database: text(url.pathname.slice(1)),
    password: text(url.password),
  }
}

function invalid(problem: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', `url: ${problem}.`, { option: 'url' })
}
