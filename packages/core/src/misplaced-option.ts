import { isOptionName } from './assert-options.ts'
import { AuroraIamError } from './errors.ts'

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
  const place = `in the second argument: { ${name}: … }.`
  const isHost = name === 'hostname' && !Object.hasOwn(given, 'host')
  throw unknown(
    option,
    isHost
      ? `the driver calls the endpoint \`host\`. To sign for another name, give it ${place}`
      : `an option of IAM, which has no effect here. Give it ${place}`,
  )
}

/**
 * Throws for an option under the name that another driver has for it.
 *
 * @param given - the driver's options
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_UNKNOWN_OPTION`
 */
export function assertOwnName(given: object, { own, foreign }: { own: string; foreign: string }): void {
  if (!Object.hasOwn(given, foreign) || Object.hasOwn(given, own)) return
  throw unknown(foreign, `the driver calls it \`${own}\`. Write \`${own}\`.`)
}

function unknown(option: string, problem: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_UNKNOWN_OPTION', `${option}: ${problem}`, { option })
}
