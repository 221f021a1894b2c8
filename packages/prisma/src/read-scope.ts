import { AsyncLocalStorage } from 'node:async_hooks'
import type { QueryOptions } from 'mariadb'

/**
 * What may be repeated if its connection is lost. The extension knows which operation is a read, the pool knows
 * whether a statement is outside a transaction (those inside go by a connection of their own); this joins the two.
 */
export class ReadScope {
  readonly #storage = new AsyncLocalStorage<true>()

  /** Runs `operation`, which reads and does nothing else. */
  run<T>(operation: () => Promise<T>): Promise<T> {
    return this.#storage.run(true, operation)
  }

  /** Whether `sql` is a plain SELECT of such an operation. */
  covers(sql: string | QueryOptions): boolean {
    const text = typeof sql === 'string' ? sql : sql.sql
    return this.#storage.getStore() === true && /^\s*SELECT\b/i.test(text)
  }
}
