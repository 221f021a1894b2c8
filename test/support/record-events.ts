import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { onTestFinished } from 'vitest'

/** Collects the events of a channel from now on until the test ends. */
export function recordEvents<Event = unknown>(channel: string): Event[] {
  const events: Event[] = []
  const record = (event: unknown) => events.push(event as Event)
  subscribe(channel, record)
  onTestFinished(() => void unsubscribe(channel, record))
  return events
}
