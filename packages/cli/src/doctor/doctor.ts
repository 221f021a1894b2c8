import type { AuroraIamError } from '@aurora-iam/core'
import { adapterIam, type ConnectionTarget } from '@aurora-iam/core/adapter'
import type { Target } from '../options/target.ts'
import { inNames } from '../output/in-names.ts'
import { splitMessage } from '../output/option-words.ts'
import { askSts } from './ask-sts.ts'
import { awsFindings } from './aws/aws-findings.ts'
import { clockFinding } from './clock-finding.ts'
import { logInTo } from './database.ts'
import type { Finding } from './finding.ts'
import { identityFinding } from './identity-finding.ts'
import type { PlannedFleet } from './session-findings.ts'
import { tokenFinding } from './token-finding.ts'

/**
 * Checks each step of a login in the order in which a program takes them, until one fails that the others need. Then it
 * checks the login by the AWS API.
 *
 * @throws {@link AuroraIamError} for options that cannot be used
 */
export async function* examine(
  { host, port, user, iam: options, names }: Target,
  fleet: PlannedFleet,
): AsyncGenerator<Finding> {
  const iam = inNames(names, () => adapterIam(options))
  try {
    let target: ConnectionTarget
    try {
      target = inNames(names, () => iam.resolve({ host, port, user }))
    } catch (error) {
      const { code, message } = error as AuroraIamError
      if (code === 'ERR_AURORA_IAM_INVALID_OPTION') throw error
      const { problem, remedies } = splitMessage(message)
      yield { check: 'name', verdict: 'fail', seen: problem, remedies }
      return
    }
    yield nameFinding(target)

    const token = await tokenFinding(iam, target)
    yield token
    if (token.verdict === 'fail') return

    const sts = await askSts({ region: target.region, profile: options.profile })
    const clock = clockFinding(sts)
    yield clock
    const identity = identityFinding(sts)
    yield identity

    yield* logInTo(iam, target, { clock, identity, sts, hasCa: options.ca !== undefined, fleet })
    yield* awsFindings(target, { arn: sts.arn, profile: options.profile })
  } finally {
    iam.close()
  }
}

const KINDS: Readonly<Record<ConnectionTarget['kind'], string>> = {
  cluster: 'the writer endpoint of a cluster',
  'cluster-ro': 'the reader endpoint of a cluster',
  'cluster-custom': 'a custom endpoint of a cluster',
  instance: 'the endpoint of an instance',
  proxy: 'an RDS Proxy',
  'proxy-endpoint': 'an endpoint of an RDS Proxy',
  'global-writer': 'the writer endpoint of a global database',
  other: 'a name of no known kind',
}

function nameFinding({ hostname, port, kind, region }: ConnectionTarget): Finding {
  const where = region === undefined ? 'the Region of the AWS configuration' : region
  return { check: 'name', verdict: 'ok', seen: `${hostname}:${port} is ${KINDS[kind]}, signed for ${where}` }
}
