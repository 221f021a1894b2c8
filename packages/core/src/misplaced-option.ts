import { AuroraIamError } from './errors.ts'
import { isOptionName } from './options.ts'

/**
 * Throws for an option of IAM among the driver's options, where it would be ignored: a limit would not hold.
 *
 * @param given - the driver's options
 * @param path - where they stand, such as `'connection.'`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_UNKNOWN_OPTION`
 */
export function assertNoIamOptions(given: object, path = ''): void {
  // Every driver has a port option too.
  const name = Object.keys(given).find((one) => one !== 'port' && isOptionName(one))
  if (name === undefined) return
  const option = `${path}${name}`
  throw new AuroraIamError(
    'ERR_AURORA_IAM_UNKNOWN_OPTION',
    `${option}: an option of IAM, which has no effect here. Give it in the second argument: { ${name}: … }.`,
    { option },
  )
}
