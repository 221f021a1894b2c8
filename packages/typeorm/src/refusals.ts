import { AuroraIamError } from '@aurora-iam/core'

/**
 * What `check` returns. A refusal of an option is passed on under the name by which the caller of TypeORM knows it.
 *
 * @param path - where the option stands, such as `'replication.slaves[0].'`
 * @param isHere - whether the option of that name stands there. @defaultValue every one does
 */
export function named<T>(path: string, check: () => T, isHere = (_option: string) => true): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof AuroraIamError) || error.option === undefined || !isHere(error.option)) throw error
    const { code, message, option } = error
    throw new AuroraIamError(code, `${path}${message}`, { cause: error.cause, option: `${path}${option}` })
  }
}
