import { describe } from '../util/describe.ts'
import { invalidOption } from '../util/invalid-option.ts'

/** The option of a driver that holds a URL, and the options that can take its place, for messages. */
export interface UrlOption {
  readonly option: string
  readonly instead: string
}

/**
 * Throws for the URL of a connection that is there without a value, and without a host beside it. An option that is
 * read from an environment variable looks like this where the variable is not set.
 *
 * @param given - options of the driver
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function assertUrlGiven(given: { readonly host?: unknown }, { option, instead }: UrlOption): void {
  if (!Object.hasOwn(given, option) || given.host) return
  const value = (given as Record<string, unknown>)[option]
  if (value !== undefined && value !== null && value !== '') return
  throw invalidOption(
    option,
    `${describe(value)}. The environment variable that it is read from is probably not set. Set it, or give ${instead} as options`,
  )
}

/**
 * Returns a part of a URL, decoded. The part is not in the error, nor is the cause, which contains it: it may be a
 * password.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a `%` that begins no character
 */
export function decodeUrlPart(part: string, option: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalidOption(option, 'it contains a % that begins no character. Encode it as %25')
  }
}

/**
 * Throws for a URL with an `@` behind its host. The password then has a character that ends the host, and a part of the
 * password would be taken for the host, and be in the messages about it.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function assertPasswordEncoded(url: URL, option: string): void {
  if (!(url.pathname + url.search + url.hash).includes('@')) return
  throw invalidOption(
    option,
    'there is an @ behind the host. Encode the password, or leave it out: @ is %40, / is %2F, ? is %3F and # is %23',
  )
}
