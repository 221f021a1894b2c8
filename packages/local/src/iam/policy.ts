import { LocalAuroraError } from '../errors.ts'

/** The part of an IAM policy that {@link compilePolicy} evaluates. */
export interface PolicyDocument {
  readonly Version?: string
  readonly Id?: string
  readonly Statement: PolicyStatement | readonly PolicyStatement[]
}

/** One statement of a {@link PolicyDocument}. */
export interface PolicyStatement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  /** For example `rds-db:connect`; `*` and `?` are wildcards, case does not matter. */
  readonly Action: string | readonly string[]
  /** For example `arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/app`; `*` and `?` are wildcards. */
  readonly Resource: string | readonly string[]
}

/** Decision of a policy: by an Allow, by the lack of one, or by a Deny, which always wins. */
export type PolicyDecision = 'allowed' | 'not allowed' | 'denied'

/** Function that returns the decision of a policy. */
export type Authorize = (action: string, resource: string) => PolicyDecision

/** A decision and the statement that made it. */
export interface PolicyFinding {
  readonly decision: PolicyDecision
  /** Position and Sid of the first statement that decided; undefined for `not allowed`, which no statement makes. */
  readonly statement: { readonly index: number; readonly sid: string | undefined } | undefined
}

type Matcher = (text: string) => boolean

const DOCUMENT_KEYS = ['Version', 'Id', 'Statement']
const STATEMENT_KEYS = ['Sid', 'Effect', 'Action', 'Resource']

/**
 * Compiles an IAM policy to a function that evaluates it. `Condition`, `NotAction`, `NotResource`, `Principal` and
 * policy variables are refused: to ignore them would change the decision.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
 */
export function compilePolicy(document: PolicyDocument): Authorize {
  const evaluate = compileStatements(document)
  return (action, resource) => evaluate(action, resource).decision
}

/**
 * Compiles an IAM policy as {@link compilePolicy} does. Its decisions name the statement that made them.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
 */
export function compileStatements(
  document: PolicyDocument,
): (action: string, resource: string) => PolicyFinding {
  refuseUnknownKeys(document, DOCUMENT_KEYS, 'policy')
  const statements = arrayOf(document.Statement).map((statement, index) => {
    const where = `policy.Statement[${index}]`
    refuseUnknownKeys(statement, STATEMENT_KEYS, where)
    const { Effect: effect } = statement
    if (effect !== 'Allow' && effect !== 'Deny')
      throw invalid(`${where}.Effect`, `expected 'Allow' or 'Deny', got ${JSON.stringify(effect)}`)
    const actions = patterns(statement.Action, `${where}.Action`).map((pattern) => wildcard(pattern, 'i'))
    const resources = patterns(statement.Resource, `${where}.Resource`).map((pattern) => {
      if (pattern !== '*' && !pattern.startsWith('arn:'))
        throw invalid(`${where}.Resource`, `expected '*' or an ARN, got ${JSON.stringify(pattern)}`)
      return wildcard(pattern)
    })
    return {
      effect,
      place: { index, sid: statement.Sid },
      covers: (action: string, resource: string) =>
        actions.some((matches) => matches(action)) && resources.some((matches) => matches(resource)),
    }
  })
  return (action, resource) => {
    const covering = statements.filter(({ covers }) => covers(action, resource))
    const denied = covering.find(({ effect }) => effect === 'Deny')
    if (denied !== undefined) return { decision: 'denied', statement: denied.place }
    const [allowed] = covering
    return { decision: allowed === undefined ? 'not allowed' : 'allowed', statement: allowed?.place }
  }
}

/**
 * Returns a matcher. A `*` at the end of a colon-separated segment matches colons too. Elsewhere it matches none:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function wildcard(pattern: string, flags = ''): Matcher {
  const source = pattern
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replace(/\\\*(?=:|$)/g, '.*')
    .replaceAll('\\*', '[^:]*')
    .replaceAll('\\?', '[^:]')
  const expression = new RegExp(`^${source}$`, `s${flags}`)
  return (text) => expression.test(text)
}

function patterns(value: unknown, where: string): string[] {
  const list = arrayOf(value)
  for (const pattern of list) {
    if (typeof pattern !== 'string' || pattern === '')
      throw invalid(where, `expected a string or an array of strings, got ${JSON.stringify(value)}`)
    if (pattern.includes('${')) throw invalid(where, 'policy variables are not supported: write the value')
  }
  return list as string[]
}

function refuseUnknownKeys(value: unknown, known: readonly string[], where: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(where, 'expected an object')
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw invalid(
      `${where}.${unknown}`,
      `not supported by Local Aurora, which evaluates ${known.join(', ')} alone: leave it out`,
    )
}

function arrayOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T]
}

function invalid(where: string, problem: string): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', `${where}: ${problem}`, { option: 'policy' })
}
