import { readInstanceClass } from '../facts/instance-class.ts'
import type { Finding } from './finding.ts'

/** Returns the finding about the IAM logins of an instance class; undefined if no class was given. */
export function classFinding(instanceClass: string | undefined): Finding | undefined {
  if (instanceClass === undefined) return undefined
  const check = 'class'
  const { hasIamLogins, loginsPerSecond, maxConnections } = readInstanceClass(instanceClass)
  if (!hasIamLogins) {
    return {
      check,
      verdict: 'fail',
      seen: `${instanceClass} has no IAM logins`,
      remedies: ['Take a larger class for every instance of the cluster.'],
    }
  }
  if (loginsPerSecond !== undefined) {
    return {
      check,
      verdict: 'ok',
      seen: `${instanceClass} accepts about ${loginsPerSecond} logins a second: set the limit to ${loginsPerSecond}`,
    }
  }
  const connections = maxConnections === undefined ? '' : `, and max_connections ${maxConnections} by default`
  return { check, verdict: 'ok', seen: `${instanceClass} has IAM logins${connections}` }
}
