import type { Finding } from './finding.ts'

/** Classes without IAM logins: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html */
const WITHOUT_IAM: ReadonlySet<string> = new Set(['db.t2.small', 'db.t3.small'])

/** Ten logins a second, in the guide of 2017 to 2019: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html */
const SLOW: ReadonlySet<string> = new Set(['db.t2.micro'])

/** Returns what an instance class says about IAM logins; undefined if no class was given. */
export function classFinding(instanceClass: string | undefined): Finding | undefined {
  if (instanceClass === undefined) return undefined
  const check = 'class'
  if (WITHOUT_IAM.has(instanceClass)) {
    return {
      check,
      verdict: 'fail',
      seen: `${instanceClass} has no IAM logins`,
      remedies: ['Take a larger class for every instance of the cluster.'],
    }
  }
  if (SLOW.has(instanceClass))
    return {
      check,
      verdict: 'ok',
      seen: `${instanceClass} accepts about 10 logins a second: set the limit to 10`,
    }
  return { check, verdict: 'ok', seen: `${instanceClass} has IAM logins` }
}
