import { AuroraIamError } from '../errors.ts'

/**
 * Returns the error for a value that an option does not take.
 *
 * @param problem - what is wrong and the remedy, without a full stop and without the value
 */
export function invalidOption(option: string, problem: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', `${option}: ${problem}.`, { option })
}
