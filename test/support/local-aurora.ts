import { type LocalAurora, type LocalAuroraOptions, startLocalAurora } from '@aurora-iam/local'
import { afterAll, beforeEach } from 'vitest'

/** Starts one Local Aurora for all tests of a file, without a throttle. It is reset before each of them. */
export async function localAurora(options: LocalAuroraOptions = {}): Promise<LocalAurora> {
  const aurora = await startLocalAurora({ throttle: false, ...options })
  afterAll(() => aurora.close())
  beforeEach(() => reset(aurora))
  return aurora
}

/** Undoes what a test did to `aurora`, except to its users and their data. */
export function reset(aurora: LocalAurora): void {
  aurora.faults.clear()
  aurora.setThrottle(false)
  aurora.setClock(Date.now)
  aurora.log.clear()
}
