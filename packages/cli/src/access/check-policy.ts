import { readFileSync } from 'node:fs'
import { compileStatements, type PolicyDocument, type PolicyFinding } from '@aurora-iam/local/iam'
import { UsageError } from '../options/usage-error.ts'

/** Role of a policy: an identity policy allows, the other two bound what can be allowed. */
export type PolicyRole = 'identity' | 'boundary' | 'scp'

/** The decision of one policy. */
export interface PolicyCheck extends PolicyFinding {
  readonly role: PolicyRole
  readonly file: string
}

/** The decision of all policies together. */
export interface AccessCheck {
  readonly allowed: boolean
  /** The policies that decided. For a denied login they deny it or do not allow it. */
  readonly because: readonly PolicyCheck[]
}

const ACTION = 'rds-db:connect'

/**
 * Evaluates policies for a login as AWS does. A Deny in any of them wins. An identity policy must allow the login, and
 * so must the permission boundary and every service control policy.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @throws {@link UsageError} for a file that cannot be read or evaluated
 */
export function checkPolicies(
  files: Readonly<Record<PolicyRole, readonly string[]>>,
  resource: string,
): AccessCheck {
  const checks = (Object.keys(files) as PolicyRole[]).flatMap((role) =>
    files[role].map((file): PolicyCheck => ({ role, file, ...evaluate(file, resource) })),
  )
  const denied = checks.filter(({ decision }) => decision === 'denied')
  if (denied.length > 0) return { allowed: false, because: denied }
  const identity = checks.filter(({ role }) => role === 'identity')
  const allowing = identity.filter(({ decision }) => decision === 'allowed')
  const missing = checks.filter(({ role, decision }) => role !== 'identity' && decision !== 'allowed')
  if (allowing.length === 0) return { allowed: false, because: [...identity, ...missing] }
  if (missing.length > 0) return { allowed: false, because: missing }
  return { allowed: true, because: allowing }
}

function evaluate(file: string, resource: string): PolicyFinding {
  let document: unknown
  try {
    document = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `--check: ${file} ${code === undefined ? 'is not JSON' : `cannot be read (${code})`}.`,
    )
  }
  try {
    return compileStatements(document as PolicyDocument)(ACTION, resource)
  } catch (error) {
    throw new UsageError(`--check: ${file} cannot be evaluated: ${(error as Error).message}`)
  }
}
