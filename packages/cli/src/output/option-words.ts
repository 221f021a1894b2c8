import { FLAG_NAMES, type OptionNames } from '../options/option-names.ts'

/** Options of the libraries that this program has too. */
const NAMES = 'hostname|host|port|user|dial|region|profile|ca|database|backend|users'

const AT_START = new RegExp(`^(?:${NAMES})(?=[:.])`)
const IN_BACKTICKS = new RegExp(`\`(${NAMES})\``, 'g')

/**
 * Returns a message of a library that names options as this program has them, so that its reader can type them.
 *
 * @param names - Names of the options. @defaultValue those of the command line
 */
export function inOptionWords(message: string, names: OptionNames = FLAG_NAMES): string {
  return message
    .replace('Give `credentials` or `profile`', 'Give `profile`')
    .replace('pass its content as `ca`', 'give the file as `ca`')
    .replace(/ \(`credentialsTimeoutMs`\)/, '')
    .replace(IN_BACKTICKS, (_, name: string) => names.giveAs(ownName(name)))
    .replace(AT_START, (name) => names.setAs(ownName(name)))
}

/** Returns the name that this program has for an option: `--user` may be repeated. */
function ownName(name: string): string {
  return name === 'users' ? 'user' : name
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
