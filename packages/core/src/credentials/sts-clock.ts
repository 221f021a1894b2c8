import type { MetadataBearer, Pluggable } from '@smithy/types'

/**
 * Returns a plugin for the AWS SDK's STS client that reads Amazon's time from each answer, rejections
 * included. The SDK corrects its own requests by it and does not report it, so that a role is assumed on a clock by which
 * no token is taken.
 */
export function stsDateMiddleware(onDate: (dateMs: number) => void): Pluggable<object, MetadataBearer> {
  return {
    applyToStack: (stack) => {
      stack.add(
        (next) => async (args) => {
          const result = await next(args)
          const { headers } = result.response as { headers?: Record<string, string> }
          const dateMs = Date.parse(headers?.date ?? '')
          if (!Number.isNaN(dateMs)) onDate(dateMs)
          return result
        },
        // Inside of what turns a refusal into an error.
        { step: 'deserialize', priority: 'low', name: 'auroraIamReadingDate' },
      )
    },
  }
}
