import { FLAG_NAMES } from './option-names.ts'
import { UsageError } from './usage-error.ts'

/**
 * Refuses options that would have no effect beside the others.
 *
 * @param names - Names of the options, as commander has them.
 * @param why - The reason and the remedy, in one sentence or two.
 * @throws {@link UsageError} for the first of them that is given
 */
export function refuseUnused<Flags extends object>(
  flags: Flags,
  names: ReadonlyArray<keyof Flags & string>,
  why: string,
): void {
  const given = names.find((name) => flags[name] !== undefined)
  if (given !== undefined) throw new UsageError(`${FLAG_NAMES.setAs(given)}: ${why}`)
}
