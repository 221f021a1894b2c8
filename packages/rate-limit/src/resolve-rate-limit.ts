import { RateLimitError } from './errors.ts'
import { checkNumber, completeOptions, type RateLimiterOptions } from './options.ts'
import { type RateLimitPreset, rateLimitPresets } from './presets.ts'

/** A limit as users write it: attempts per second, the name of a preset, or options. */
export type RateLimit = number | RateLimitPreset | RateLimiterOptions

/**
 * Turns a limit as users write it into checked options.
 *
 * @param name - the option that the value was given for; messages name it.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION` for an unknown preset or option, or a value out of range.
 */
export function resolveRateLimit(value: RateLimit, name = 'rateLimit'): RateLimiterOptions {
  if (typeof value === 'number') {
    checkNumber('limit', value, '', name)
    return { limit: value }
  }
  if (typeof value === 'string') {
    if (!Object.hasOwn(rateLimitPresets, value)) throw unknownPreset(value, name)
    const { limit, intervalMs } = rateLimitPresets[value]
    return { limit, intervalMs }
  }
  completeOptions(value, name)
  return { ...value }
}

function unknownPreset(value: string, name: string): RateLimitError {
  const presets = Object.keys(rateLimitPresets)
    .map((preset) => `'${preset}'`)
    .join(', ')
  return new RateLimitError(
    'ERR_RATE_LIMIT_INVALID_OPTION',
    `Unknown preset ${JSON.stringify(value)} for \`${name}\`. Use one of ${presets}, a number of attempts per second, or { limit, intervalMs }.`,
    { option: name },
  )
}
