import { RateLimitError } from './errors.ts'
import type { RateLimiterOptions } from './limiter-options.ts'
import { checkNumber, completeOptions } from './options.ts'

/**
 * A rate with a name and a source. AWS has named several rates over the years, and names none today: the newest
 * English edition of the page (autumn 2026) still says that IAM logins are throttled, but gives no number.
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
 *
 * - `'conservative'`: 20 per second, the first figure that AWS gave (up to May 2019). The default, because a rate that
 *   is too low costs seconds at start-up and one that is too high costs failed logins.
 * - `'db.t2.micro'`: 10 per second, the figure of the same editions for that instance class.
 * - `'aws-2019'`: 200 per second, the figure from 14 December 2019 to about 2025; from September 2020 on it was given
 *   as advice that depends on instance class and workload.
 *
 * The editions of 2018 to 2023 can be read at https://github.com/awsdocs/amazon-aurora-user-guide
 * (`doc_source/UsingWithRDS.IAMDBAuth.md`).
 *
 * @remarks `tokenReuse`: editions between mid-2023 and mid-2025 added that connections which reuse one token are not
 * throttled. That sentence, too, is gone from the newest English page. So no preset relies on it; where a test on your
 * own cluster shows that it holds, a higher limit is safe as long as tokens are cached. https://docs.aws.amazon.com/zh_tw/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
 */
export type RateLimitPreset = 'conservative' | 'db.t2.micro' | 'aws-2019'

/** The numbers behind the {@link RateLimitPreset | presets}, each with where it comes from. */
export const rateLimitPresets: Readonly<
  Record<RateLimitPreset, Readonly<{ limit: number; intervalMs: number; source: string }>>
> = {
  conservative: {
    limit: 20,
    intervalMs: 1000,
    source: 'Amazon Aurora User Guide, "IAM database authentication", editions up to May 2019',
  },
  'db.t2.micro': {
    limit: 10,
    intervalMs: 1000,
    source:
      'Amazon Aurora User Guide, "IAM database authentication", editions up to July 2019, for db.t2.micro',
  },
  'aws-2019': {
    limit: 200,
    intervalMs: 1000,
    source:
      'Amazon Aurora User Guide, "IAM database authentication", editions of 14 December 2019 to about 2025',
  },
}

/** A limit as users write it: attempts per second, name of a preset, or options. */
export type RateLimit = number | RateLimitPreset | RateLimiterOptions

/**
 * Checks a limit as users write it and returns it as options.
 *
 * @param name - the option that the value was given for; messages name it.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION` for an unknown preset or option, or a value out of
 * range.
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
  if (/^\s*\d+\s*$/.test(value)) {
    const message = `Expected \`${name}\` to be a number, but it is a string of digits, as an environment variable has it. Write Number(…) around it.`
    return new RateLimitError('ERR_RATE_LIMIT_INVALID_OPTION', message, { option: name })
  }
  const presets = Object.keys(rateLimitPresets)
    .map((preset) => `'${preset}'`)
    .join(', ')
  return new RateLimitError(
    'ERR_RATE_LIMIT_INVALID_OPTION',
    `Unknown preset for \`${name}\`. Use one of ${presets}, a number of attempts per second, or { limit, intervalMs }.`,
    { option: name },
  )
}
