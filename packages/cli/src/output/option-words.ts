/** Options of the library that this program has by the same name, after two hyphens. */
const NAMES = 'hostname|host|port|user|dial|region|profile|ca'

const AT_START = new RegExp(`^(?:${NAMES})(?=[:.])`)
const IN_BACKTICKS = new RegExp(`\`(${NAMES})\``, 'g')

/**
 * Returns a message of the library that names options as this program has them, so that its reader can type them.
 */
export function inOptionWords(message: string): string {
  return message
    .replace('Give `credentials` or `profile`', 'Give `profile`')
    .replace('pass its content as `ca`', 'give the file as `ca`')
    .replace(/ \(`credentialsTimeoutMs`\)/, '')
    .replace(IN_BACKTICKS, '--$1')
    .replace(AT_START, (name) => `--${name}`)
}

/** Parts of a message: what failed, and what to do. */
export interface SplitMessage {
  readonly problem: string
  readonly remedies: readonly string[]
}

/** Returns the parts of a message of the library: the first sentence is the problem, and the others are remedies. */
export function splitMessage(message: string): SplitMessage {
  const [problem = '', ...remedies] = inOptionWords(message).split(/(?<=[.)])\s+(?=[A-Z])/)
  return { problem: problem.replace(/\.$/, ''), remedies }
}
