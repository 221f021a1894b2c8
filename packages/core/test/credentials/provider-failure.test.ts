import { SECRET } from '@aurora-iam/test-support/example-credentials'
import { expect, test } from 'vitest'
import { credentialsUnavailable, reasonSuffix, safeReason } from '../../src/credentials/provider-failure.ts'

const named = (name: string, message: string) => Object.assign(new Error(message), { name })

test.each([
  ['one line', 'sealed', 'sealed'],
  ['blanks around it', '  sealed\n', 'sealed'],
  ['several lines', `sealed\n${SECRET}`, 'sealed'],
  ['several lines of Windows', `sealed\r\n${SECRET}`, 'sealed'],
  ['200 characters', 'x'.repeat(200), 'x'.repeat(200)],
  ['201 characters', 'x'.repeat(201), `${'x'.repeat(200)}…`],
  ['no text', '', undefined],
])('a reason with %s: its first line, up to 200 characters', (_what, message, reason) => {
  const suffix = reason === undefined ? '' : ` (${reason})`
  expect(safeReason(new Error(message))).toBe(reason)
  expect(reasonSuffix(new Error(message))).toBe(suffix)
  expect(credentialsUnavailable(new Error(message)).message).toContain(`no AWS credentials${suffix}. Give`)
})

test('details: after the reason', () => {
  expect(reasonSuffix(new Error('none'), ['no profile', 'no metadata'])).toBe(
    ' (none; no profile; no metadata)',
  )
})

test.each([
  [
    'a command that failed',
    'CredentialsProviderError',
    `Command failed: vault read\n${SECRET}`,
    /the command failed/,
  ],
  [
    'a command that failed, in an older SDK',
    'ProviderError',
    `Command failed: vault\n${SECRET}`,
    /command failed/,
  ],
  ['an answer that is not JSON', 'SyntaxError', `Unexpected token in ${SECRET}`, /is not JSON/],
])('%s: neither the message nor the cause repeats what may be a secret', (_what, name, message, reason) => {
  const error = name === 'SyntaxError' ? new SyntaxError(message) : named(name, message)
  const { message: shown, cause } = credentialsUnavailable(error)
  expect(shown).toMatch(reason)
  expect(cause).toMatchObject({ name, message: expect.stringMatching(reason) })
  expect(`${shown}${(cause as Error).stack}`).not.toContain(SECRET)
  // As the name of any error.
  expect(Object.getOwnPropertyDescriptor(cause, 'name')).toMatchObject({ configurable: true, writable: true })
})

test.each([
  ['an error of the SDK with another message', named('CredentialsProviderError', 'no such profile')],
  ['an error of the caller', named('VaultError', 'Command failed: its own words')],
  ['no error', 'sealed'],
])('%s: it is the cause itself', (_what, error) => {
  expect(credentialsUnavailable(error).cause).toBe(error)
})
