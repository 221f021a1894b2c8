/** Options of the library that this command has under the same name, with two hyphens before it. */
const NAMES = 'hostname|host|port|user|dial|region|profile|ca'

const AT_START = new RegExp(`^(?:${NAMES})(?=[:.])`)
const IN_BACKTICKS = new RegExp(`\`(${NAMES})\``, 'g')

/**
 * Returns a message of the library with its options named as this command's are, so that its reader can type what it
 * recommends.
 */
export function inOptionWords(message: string): string {
  return message
    .replace('Give `credentials` or `profile`', 'Give `profile`')
    .replace('pass its content as `ca`', 'give the file as `ca`')
    .replace(/ \(`credentialsTimeoutMs`\)/, '')
    .replace(IN_BACKTICKS, '--$1')
    .replace(AT_START, (name) => `--${name}`)
}

/** A message that says what failed and what to do, taken apart. */
export interface SplitMessage {
  readonly problem: string
  readonly remedies: readonly string[]
}

/** Returns what a message of the library says in its first sentence, and the remedies in the others, in this command's words. */
export function splitMessage(message: string): SplitMessage {
  const [problem = '', ...remedies] = inOptionWords(message).split(/(?<=[.)])\s+(?=[A-Z])/)
  return { problem: problem.replace(/\.$/, ''), remedies }
}
