import type { RateLimitClock } from '../clock.ts'
import type { TicketCounter } from '../store.ts'

/** A draw without an answer has failed after this. The AWS SDK waits for one as long as the connection is open. */
const patienceMs = 5000

/**
 * Draws a ticket. An answer that comes too late is not used, and its ticket is lost.
 *
 * @throws {@link Error} for an answer that is none of the tickets asked for or that does not come, and what the store
 * rejects with
 */
export async function drawTicket(
  store: TicketCounter,
  clock: RateLimitClock,
  draw: Parameters<TicketCounter['draw']>,
): Promise<number | undefined> {
  const [, , atLeast, atMost] = draw
  const ticket = await answerTo(store.draw(...draw), clock)
  if (ticket !== undefined && !(Number.isSafeInteger(ticket) && ticket >= atLeast && ticket <= atMost)) {
    throw new Error('Its reply is not a ticket of those that were asked for.')
  }
  return ticket
}

function answerTo(draw: Promise<number | undefined>, clock: RateLimitClock): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`It has not replied within ${patienceMs} ms.`))
    const cancel = clock.setTimer(fail, patienceMs, true)
    draw.finally(cancel).then(resolve, reject)
  })
}
