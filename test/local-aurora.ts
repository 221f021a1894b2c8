import { type LocalAurora, type LocalAuroraOptions, startLocalAurora } from '@aurora-iam/local'
import { afterAll, beforeEach } from 'vitest'

/** Starts one Local Aurora for all tests of a file. Before each of them it is as new, and throttles nobody. */
export async function localAurora(options: LocalAuroraOptions = {}): Promise<LocalAurora> {
  const aurora = await startLocalAurora({ throttle: false, ...options })
  afterAll(() => aurora.close())
  beforeEach(() => renew(aurora))
  return aurora
}

/** Takes back whatever a test has done to `aurora`, but for its users and their data. */
export function renew(aurora: LocalAurora): void {
  aurora.faults.clear()
  aurora.setThrottle(false)
  aurora.setClock(Date.now)
  aurora.log.clear()
}
