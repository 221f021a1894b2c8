import { randomInt } from 'node:crypto'
import type { AuroraIamOptions } from '../src/index.ts'
import { Clock, iamOn } from './support.ts'

/**
 * Creates an AuroraIam and a target on a separate endpoint: limiters are shared by endpoint. The name is random, as a
 * count would begin again in a process where a test has reset the modules.
 */
export function setUp(options: AuroraIamOptions = {}, clock = new Clock()) {
  const iam = iamOn(clock, options)
  const host = `db${randomInt(2 ** 47)}.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com`
  const target = iam.resolve({ host, port: 3306, user: 'app' })
  return { iam, target, clock, login: (signal?: AbortSignal) => iam.login(target, { signal }) }
}
