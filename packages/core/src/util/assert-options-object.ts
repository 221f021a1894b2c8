import { AuroraIamError } from '../errors.ts'
import { describe } from './describe.ts'

/** Names of options for {@link assertOptionsObject}, for its message. */
export interface OptionsObject {
  /** Name of the argument or option. */
  readonly option: string
  /** Shape of the object, as in "{ host, user, database }". */
  readonly shape: string
  /** Name of the option in it that takes a URL. */
  readonly url?: string
}

/**
 * Throws for what is given in place of an object of options: nothing, a URL, a list, a promise of the options.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function assertOptionsObject(
  value: unknown,
  { option, shape, url }: OptionsObject,
): asserts value is object {
  const isPromise = value instanceof Promise
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isPromise) return
  // The length of a URL with a password is not shown either.
  const given = typeof value === 'string' ? 'a string' : describe(value)
  const elsewhere = url ? ` A URL goes into \`${url}\`.` : ''
  const remedy = isPromise ? ' Await it first.' : elsewhere
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${option}: expected an object ${shape}, got ${given}.${remedy}`,
    { option },
  )
}
