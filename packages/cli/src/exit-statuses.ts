import type { CommandName } from './commands/descriptions.ts'

/**
 * The closed list of exit statuses. The type and `--help` are generated from it; the README and `docs/errors.md` are
 * tested against it. A status with `command` occurs with that command alone.
 */
export const exitStatuses = {
  SUCCESS: {
    status: 0,
    meaning: 'the command did what it was asked to do',
  },
  FAILURE: {
    status: 1,
    meaning: 'the command failed, or what it checked is wrong',
  },
  USAGE: {
    status: 2,
    meaning: 'an argument, a variable or a file cannot be used; the message names it',
  },
  NOT_EXECUTABLE: {
    status: 126,
    command: 'exec',
    meaning: 'the command behind `--` cannot be executed',
  },
  NOT_FOUND: {
    status: 127,
    command: 'exec',
    meaning: 'the command behind `--` is not found',
  },
  KILLED: {
    status: 128,
    command: 'exec',
    meaning: 'a signal ended the command behind `--`; its number is added: 143 is SIGTERM',
  },
} as const

/** Exit status of this program. `exec` also passes on every other status of the command that it runs. */
export type ExitStatus = (typeof exitStatuses)[keyof typeof exitStatuses]['status']

/** Meanings of 0 and 1 for the commands that say more than the list does. */
export const commandExitStatuses: Readonly<
  Partial<Record<CommandName, { readonly [status in 0 | 1]?: string }>>
> = {
  exec: {
    0: 'the command behind `--` ended with 0; every other status of it is passed on too',
    1: 'the command behind `--` ended with 1, or the server for it cannot start',
  },
  proxy: { 0: 'SIGTERM or SIGINT ended it', 1: 'it cannot start' },
  token: { 0: 'the token is printed', 1: 'no token can be signed or stored' },
  explain: { 0: 'the token is live', 1: 'the server would reject the token' },
  doctor: { 0: 'the login works', 1: 'a check failed' },
  policy: { 0: 'the policy is printed, or the checked policies allow the login', 1: 'they deny the login' },
  ca: { 0: 'the roots are stored', 1: 'the bundle cannot be fetched, trusted or stored' },
  local: { 0: 'SIGTERM or SIGINT ended it', 1: 'it cannot start, or its database ended' },
  fleet: { 0: 'the fleet is shown', 1: 'Redis does not answer, or no fleet uses the key' },
}

/** Returns the exit statuses of a command with their meanings, lowest first. */
export function exitStatusesOf(name: CommandName): Array<readonly [status: ExitStatus, meaning: string]> {
  const own: Readonly<Partial<Record<number, string>>> = commandExitStatuses[name] ?? {}
  return Object.values(exitStatuses)
    .filter((entry) => !('command' in entry) || entry.command === name)
    .map(({ status, meaning }) => [status, own[status] ?? meaning] as const)
}
