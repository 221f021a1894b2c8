import { AuroraIamError } from '@aurora-iam/core/adapter'
import type { OptionNames } from '../options/option-names.ts'
import { inOptionWords } from './option-words.ts'

/**
 * Returns the result of `check`, which calls the library with the options.
 *
 * @throws {@link AuroraIamError} of the library, with the names that the user knows; every other error unchanged
 */
export function inNames<Result>(names: OptionNames, check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof AuroraIamError)) throw error
    throw new AuroraIamError(error.code, inOptionWords(error.message, names), error)
  }
}
