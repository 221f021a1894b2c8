/** A host name with something around it that belongs elsewhere. */
export interface StrayParts {
  /** The name alone. */
  readonly name: string
  /** Parts around it, as in "a port", in the order in which it stands there. */
  readonly parts: readonly string[]
  /** Where each part belongs, a sentence each. */
  readonly remedies: readonly string[]
}

// Blanks, scheme, user, name, port, path, blanks. A port or a path with an @ is the rest of a password that is not
// encoded, and the name before it is a part of that password.
const SHAPE =
  /^(\s*)([a-z][a-z0-9+.:-]*:\/\/)?([^@\s]*@)?((?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?)(:[^@/?#\s]*)?([/?#][^@\s]*)?(\s*)$/i

const LONGEST_TEXT = 2_000

// ASCII alone: with the flag u, `i` takes letters of other alphabets for it.
const NAMES = /[a-z0-9][a-z0-9._-]*[a-z0-9]/gi

const QUOTATION_MARK = /["'`‘’“”]/

/**
 * Returns the parts of `text` that are no part of a host name, as in the endpoint of Terraform's `aws_db_instance`
 * (`name:port`) or in a URL; undefined where `text` is a bare name, or something else altogether. The parts are
 * named, not repeated: a URL may hold a password.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_instance#endpoint
 */
export function strayParts(text: string): StrayParts | undefined {
  const match = text.length > LONGEST_TEXT ? null : SHAPE.exec(text)
  if (!match) return undefined
  const [, before = '', scheme, user, name = '', port, path, after = ''] = match
  const parts: string[] = []
  const remedies: string[] = []
  if (scheme) parts.push('a scheme')
  if (user) {
    parts.push('a user')
    remedies.push('Give the user as an option, without a password.')
  }
  if (port) {
    parts.push('a port')
    remedies.push('Give the port as `port`.')
  }
  if (path) parts.push('a path')
  const blanks = before + after
  if (blanks !== '') parts.push(/[\r\n]/.test(blanks) ? 'a line break' : 'a blank')
  return parts.length === 0 ? undefined : { name: normalized(name), parts, remedies }
}

/**
 * Returns the parts of `text` around the one name in it for which `isName` is true, where {@link strayParts} does not
 * know its shape: quotation marks that a file of variables kept, a comma, an invisible character, `tcp(name:3306)`.
 */
export function partsAround(text: string, isName: (candidate: string) => boolean): StrayParts | undefined {
  if (text.length > LONGEST_TEXT) return undefined
  const [name, ...others] = new Set((text.match(NAMES) ?? []).map(normalized).filter(isName))
  if (name === undefined || others.length > 0) return undefined
  const part = QUOTATION_MARK.test(text) ? 'a quotation mark' : 'other text'
  return { name, parts: [part], remedies: [] }
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
