import type { RateLimitStore } from '../limiter-options.ts'
import { invalidOption, isNotNegative } from '../options.ts'
import type { TicketCounter } from '../store.ts'
import { TicketPermits } from './ticket-permits.ts'

/**
 * Makes a store of a database that can count, as `dynamoStore` does of DynamoDB.
 *
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function ticketStore(counter: TicketCounter): RateLimitStore {
  const given = counter as Partial<TicketCounter> | null | undefined
  if (typeof given?.draw !== 'function') {
    throw invalidOption('counter', counter, 'an object with the function draw()')
  }
  for (const name of ['toleranceMs', 'handshakeMs'] as const) {
    if (isNotNegative(given[name])) continue
    throw invalidOption(name, given[name], 'a finite number of milliseconds from 0')
  }
  return { createPermits: (options, key) => new TicketPermits(options, counter, key) }
}
