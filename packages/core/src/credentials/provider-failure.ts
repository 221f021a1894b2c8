import { AuroraIamError } from '../errors.ts'
import { redact } from '../util/redact.ts'

const LONGEST_REASON = 200

/**
 * Returns the part of a provider's error that a message may repeat: its first line, shortened. The output of a command
 * and an answer that is not JSON are left out: Node puts either into the message, and either may be the secret.
 */
export function safeReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return (placeholderFor(error) ?? short(redact(messageOf(error)))) || undefined
}

/** Returns the reason, with `details`, in brackets for the end of a sentence; an empty string if there is none. */
export function reasonSuffix(error: unknown, details: readonly string[] = []): string {
  const reason = safeReason(error)
  return reason === undefined ? '' : ` (${[reason, ...details].join('; ')})`
}

/** Returns the error for a credential provider that failed with `error`. `details` are added to its message. */
export function credentialsUnavailable(error: unknown, details: readonly string[] = []): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE',
    `credentials: no AWS credentials${reasonSuffix(error, details)}. ` +
      'Give `credentials` or `profile`, or configure one of the sources of the AWS SDK.',
    { cause: sanitizedCause(error), option: 'credentials' },
  )
}

/** Returns `error` as a cause: itself, unless its message may repeat a secret. */
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
    return 'the command failed (its output is not repeated here)'
  }
  if (error.name === 'SyntaxError') return 'the answer is not JSON (it is not repeated here)'
  return undefined
}

/** Returns the message of an error, which may be of any type. */
function messageOf({ message }: { readonly message: unknown }): string {
  return typeof message === 'string' ? message : ''
}

function isOfSdk({ name }: Error): boolean {
  return name === 'CredentialsProviderError' || name === 'ProviderError'
}

function short(text: string): string {
  const [line = ''] = text.trim().split(/\r?\n/, 1)
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line
}
