import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { afterAll, beforeEach } from 'vitest'

/** Starts one Local Aurora for all tests of a file. Before each of them it is as new, and throttles nobody. */
export async function localAurora(): Promise<LocalAurora> {
  const aurora = await startLocalAurora({ throttle: false })
  afterAll(() => aurora.close())
  beforeEach(() => {
    aurora.faults.clear()
    aurora.setThrottle(false)
    aurora.setClock(Date.now)
    aurora.log.clear()
  })
  return aurora
}
