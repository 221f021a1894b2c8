import { AuroraIamError, describe } from '@aurora-iam/core/adapter'

/** Returns the error for an option that contradicts IAM or another option. `why` ends with the remedy. */
export function conflict(option: string, why: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_CONFLICTING_OPTIONS', `${option}: ${why}.`, { option })
}

/** Returns the error for a value that is not what was expected. */
export function invalid(option: string, expected: string, value: unknown): AuroraIamError {
  const message = `${option}: expected ${expected}, got ${describe(value)}.`
  return new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', message, { option })
}

/**
 * Returns what `check` returns. An error of an option gets the name that the option has in TypeORM.
 *
 * @param path - prefix of the option, such as `'replication.slaves[0].'`
 * @param isHere - returns false for an option without the prefix. @defaultValue every option has it
 */
export function withOptionPrefix<T>(path: string, check: () => T, isHere = (_option: string) => true): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof AuroraIamError) || error.option === undefined || !isHere(error.option)) throw error
    const { code, message, option, cause } = error
    throw new AuroraIamError(code, `${path}${message}`, { cause, option: `${path}${option}` })
  }
}
