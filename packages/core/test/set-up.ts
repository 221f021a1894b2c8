import type { AuroraIamOptions } from '../src/index.ts'
import { Clock, iamOn } from './support.ts'

let endpoints = 0

/** Creates an AuroraIam and a target on a separate endpoint: limiters are shared by endpoint. */
export function setUp(options: AuroraIamOptions = {}, clock = new Clock()) {
  const iam = iamOn(clock, options)
  const host = `db${endpoints++}.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com`
  const target = iam.resolve({ host, port: 3306, user: 'app' })
  return { iam, target, clock, login: (signal?: AbortSignal) => iam.login(target, { signal }) }
}
