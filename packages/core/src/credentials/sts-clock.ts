import type { MetadataBearer, Pluggable } from '@smithy/types'

/**
 * Returns a plugin for the AWS SDK's STS client that reads the time from each response, rejections included. The SDK
 * corrects its own requests by this time and does not report it. So a role can be assumed on a wrong clock, and the
 * database then rejects every token.
 */
export function stsDateMiddleware(onDate: (dateMs: number) => void): Pluggable<object, MetadataBearer> {
  return {
    applyToStack: (stack) => {
      stack.add(
        (next) => async (args) => {
          const result = await next(args)
          const { headers } = result.response as { headers: Record<string, string> }
          const dateMs = Date.parse(headers.date ?? '')
          if (!Number.isNaN(dateMs)) onDate(dateMs)
          return result
        },
        // Inside the step that turns a rejection into an error.
        { step: 'deserialize', priority: 'low', name: 'auroraIamReadingDate' },
      )
    },
  }
}
