import { AuroraIamError } from '../errors.ts'
import { redact } from '../util/redact.ts'

const LONGEST_SAYING = 200

/**
 * Returns what an error message may repeat of the failure of a caller's source: its first line, in
 * bounds. Not what a command printed, nor what an endpoint answered in place of JSON: Node puts either into the message,
 * and either may be the secret itself.
 */
export function safeReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return (placeholderFor(error) ?? short(redact(messageOf(error)))) || undefined
}

/** Returns the reason for the end of a sentence, with `details`: in brackets after a space, or nothing. */
export function reasonSuffix(error: unknown, details: readonly string[] = []): string {
  const saying = safeReason(error)
  return saying === undefined ? '' : ` (${[saying, ...details].join('; ')})`
}

/** Returns the error for a credential source that failed with `error`. `details` says more than its message does. */
export function credentialsUnavailable(error: unknown, details: readonly string[] = []): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    `credentials: no AWS credentials${reasonSuffix(error, details)}. ` +
      'Give `credentials` or `profile`, or configure one of the sources of the AWS SDK.',
    { cause: sanitizedCause(error), option: 'credentials' },
  )
}

/** Returns `error` as a cause: itself, unless the AWS SDK made it and it repeats what must not be repeated. */
function sanitizedCause(error: unknown): unknown {
  if (!(error instanceof Error) || (!(error instanceof SyntaxError) && !isOfSdk(error))) return error
  const message = placeholderFor(error)
  if (message === undefined) return error
  const { name } = error
  return Object.defineProperty(new Error(message), 'name', {
    value: name,
    configurable: true,
    writable: true,
  })
}

function placeholderFor(error: Error): string | undefined {
  if (messageOf(error).startsWith('Command failed')) {
    return 'the command failed (what it printed is not repeated here)'
  }
  if (error.name === 'SyntaxError') return 'the answer is not JSON (it is not repeated here)'
  return undefined
}

/** Returns the message of an error that a caller's source threw, of any type. */
function messageOf({ message }: { readonly message: unknown }): string {
  return typeof message === 'string' ? message : ''
}

function isOfSdk({ name }: Error): boolean {
  return name === 'CredentialsProviderError' || name === 'ProviderError'
}

function short(text: string): string {
  const [line = ''] = text.trim().split(/\r?\n/, 1)
  return line.length > LONGEST_SAYING ? `${line.slice(0, LONGEST_SAYING)}…` : line
}
