import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take 15 seconds or more, the slowest first. Vitest starts with the largest files, and these are among the
 * smallest: begun last, they would run while the other workers are idle.
 */
const SLOW = [
  'test/chaos/transfers',
  'test/demo',
  'test/chaos/leaks',
  'test/examples',
  'test/bundlers/bundlers',
  'test/installed/installed',
  'test/prisma/conformance',
  'test/packages',
  'test/fleet/outage',
  'test/typeorm/conformance',
  'test/mysql2/conformance',
  'test/readme',
  'test/chaos/hostile-fuzz',
  'test/knex/conformance',
  'test/chaos/hostile',
  'test/chaos/failover',
  'packages/rate-limit/test/fleet/redis-store',
  'packages/local/test/fuzz',
  'test/types/types',
  'test/chaos/credentials',
  'test/chaos/handshake-cuts',
  'test/chaos/moved-writer',
  'test/exit',
  'test/fleet/fleet',
].map((name) => `${name}.test.ts`)

/** Order of the test files: the slow ones first, the others as Vitest has them. */
export class SlowFirst extends BaseSequencer {
  /**
   * Returns the files in the order in which they start.
   *
   * @throws Error for a file of the list that does not exist
   */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    const missing = SLOW.find((name) => !existsSync(resolve(root, name)))
    if (missing !== undefined)
      throw new Error(`test/slow-first.ts: ${missing} does not exist. Correct the list.`)
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = SLOW.indexOf(relative(root, moduleId))
      return index < 0 ? SLOW.length : index
    }
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other))
  }
}
