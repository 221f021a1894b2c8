import { partitionOf } from '../endpoint/partition.ts'
import { AuroraIamError } from '../errors.ts'

/**
 * AWS partition that the credentials of one provider are proven to be of: a database there has accepted them. They are
 * valid in no other. Nothing shows their partition before that, as no key names it.
 */
export class ProvenPartition {
  #region: string | undefined

  /** Records that a database in `region` accepted the credentials. */
  accept(region: string | undefined): void {
    this.#region ??= region
  }

  /**
   * Returns the partition of `region`.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CONFLICTING_OPTIONS` for another partition than the proven one
   */
  check(region: string): string {
    const partition = partitionOf(region)
    const proven = partitionOf(this.#region ?? region)
    if (proven === partition) return partition
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      `credentials: a database in ${this.#region} (partition ${proven}) accepted them, so they are not valid in ` +
        `${region} (partition ${partition}). Create one AuroraIam for each partition, with the \`credentials\` or the ` +
        '`profile` of an account there.',
      { option: 'credentials' },
    )
  }
}
