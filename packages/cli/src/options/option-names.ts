/** Names that a message has for the options of a command. */
export interface OptionNames {
  /** Returns where the value of an option is set: `--host`, `DATABASE_URL`, `proxy.json: endpoints[0].host`. */
  setAs(option: string): string
  /** Returns how an option is given: `--host`, or `host` in a config file. */
  giveAs(option: string): string
}

/** Names of options that are set on the command line. */
export const FLAG_NAMES: OptionNames = { setAs: flagOf, giveAs: flagOf }

/** Returns `names` for options of which some are set elsewhere. */
export function namesWithSources(
  names: OptionNames,
  sources: Readonly<Record<string, string | undefined>>,
): OptionNames {
  return { ...names, setAs: (option) => sources[option] ?? names.setAs(option) }
}

function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
