import { type LocalAurora, type LocalAuroraOptions, startLocalAurora } from '@aurora-iam/local'
import { afterAll, beforeEach } from 'vitest'

/** Reader endpoint of the cluster whose writer endpoint Local Aurora has by default. */
export const READER = 'local.cluster-ro-c0local0aur0.us-east-1.rds.amazonaws.com'

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

/** Returns options of IAM with which the writer's name leads to `port`, and the reader's to `aurora`. */
export function withWriterAt(port: number, aurora: LocalAurora) {
  const { region, ca, credentials, host } = aurora
  const dial = ({ hostname }: { readonly hostname: string }) => ({
    host,
    port: hostname === READER ? aurora.port : port,
  })
  return { region, ca, credentials, dial }
}
