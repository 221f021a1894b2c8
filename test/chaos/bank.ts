import type { Client, HeldConnection } from '../conformance/harness.ts'
import type { Random } from './random.ts'

const ACCOUNTS = 40
const OPENING_BALANCE = 1_000

/** Outcome of a transfer as its caller knows it. */
export type Outcome =
  | {
      readonly kind: 'committed'
      /** When its connection was taken from the pool, on the monotonic clock. */
      readonly begunAt: number
    }
  /** It failed before the COMMIT was sent, so it did not happen. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The COMMIT was sent and not answered: whether it happened is written in the database alone. */
  | { readonly kind: 'unknown'; readonly error: unknown }

/**
 * Accounts whose balances add up to something that no transfer may change, and a book of the transfers that were made:
 * each is written into it in its own transaction.
 */
export class Bank {
  readonly #client: Client
  readonly #random: Random
  readonly #accounts: string
  readonly #book: string
  readonly #onCommit: () => void
  readonly #outcomes: Array<Outcome['kind']> = []

  /** @param onCommit - called each time that a COMMIT is under way */
  constructor(client: Client, name: string, random: Random, onCommit: () => void) {
    this.#client = client
    this.#random = random
    this.#onCommit = onCommit
    this.#accounts = `account_${name}`
    this.#book = `book_${name}`
  }

  async open(): Promise<void> {
    const rows = Array.from({ length: ACCOUNTS }, (_, id) => `(${id}, ${OPENING_BALANCE})`).join()
    for (const sql of [
      `CREATE OR REPLACE TABLE ${this.#accounts} (id INT PRIMARY KEY, balance INT NOT NULL) ENGINE=InnoDB`,
      `CREATE OR REPLACE TABLE ${this.#book}
         (id INT PRIMARY KEY, payer INT NOT NULL, payee INT NOT NULL, amount INT NOT NULL) ENGINE=InnoDB`,
      `INSERT INTO ${this.#accounts} (id, balance) VALUES ${rows}`,
    ]) {
      await this.#client.query(sql)
    }
  }

  /** Moves some money between two accounts, in one transaction on one connection. Never rejects. */
  async transfer(): Promise<Outcome> {
    const id = this.#outcomes.push('unknown') - 1
    const payer = this.#random.between(0, ACCOUNTS - 1)
    const payee = (payer + this.#random.between(1, ACCOUNTS - 1)) % ACCOUNTS
    const amount = this.#random.between(1, 10)
    const outcome = await this.#perform([
      `INSERT INTO ${this.#book} VALUES (${id}, ${payer}, ${payee}, ${amount})`,
      // Both at once, and always in the order of their ids, so that two transfers cannot wait for each other.
      `UPDATE ${this.#accounts} SET balance = balance + IF(id = ${payer}, -${amount}, ${amount})
         WHERE id IN (${payer}, ${payee})`,
    ])
    this.#outcomes[id] = outcome.kind
    return outcome
  }

  async #perform(statements: readonly string[]): Promise<Outcome> {
    let held: HeldConnection | undefined
    let kind: 'failed' | 'unknown' = 'failed'
    try {
      held = await this.#client.hold()
      const begunAt = performance.now()
      if (!held.transaction) await held.query('START TRANSACTION')
      for (const sql of statements) await held.query(sql)
      kind = 'unknown'
      const commit = held.transaction?.commit() ?? held.query('COMMIT')
      this.#onCommit()
      await commit
      return { kind: 'committed', begunAt }
    } catch (error) {
      // No caller may get an open transaction. If it cannot be rolled back, the connection is broken, and so is it.
      await held?.transaction?.rollback()
      if (!held?.transaction) await held?.query('ROLLBACK').catch(() => {})
      return { kind, error }
    } finally {
      await held?.release()
    }
  }

  /** Compares what callers were told with what is in the database. */
  async audit(): Promise<Audit> {
    const book = await this.#client.query(`SELECT id, payer, payee, amount FROM ${this.#book}`)
    const accounts = await this.#client.query(`SELECT id, balance FROM ${this.#accounts}`)
    const balances = new Map<unknown, number>(accounts.map(({ id }) => [id, OPENING_BALANCE]))
    for (const { payer, payee, amount } of book) {
      balances.set(payer, (balances.get(payer) as number) - Number(amount))
      balances.set(payee, (balances.get(payee) as number) + Number(amount))
    }
    const booked = new Set(book.map(({ id }) => Number(id)))
    const idsOf = (kind: Outcome['kind']) =>
      [...this.#outcomes.keys()].filter((id) => this.#outcomes[id] === kind)
    return {
      total: accounts.reduce((sum, { balance }) => sum + Number(balance), 0) - ACCOUNTS * OPENING_BALANCE,
      wrongBalances: accounts.filter(({ id, balance }) => balance !== balances.get(id)).length,
      lost: idsOf('committed').filter((id) => !booked.has(id)),
      ghosts: idsOf('failed').filter((id) => booked.has(id)),
      committed: idsOf('committed').length,
      failed: idsOf('failed').length,
      unknown: idsOf('unknown').length,
      unknownBooked: idsOf('unknown').filter((id) => booked.has(id)).length,
      booked: booked.size,
    }
  }
}

/** Result of an audit. */
export interface Audit {
  /** By how much the money in all accounts has changed. */
  readonly total: number
  /** Accounts whose balance is not what the book makes of it. */
  readonly wrongBalances: number
  /** Transfers that were reported as committed and are not in the book. */
  readonly lost: readonly number[]
  /** Transfers that were reported as failed and are in the book. */
  readonly ghosts: readonly number[]
  readonly committed: number
  readonly failed: number
  readonly unknown: number
  /** Transfers of unknown outcome that are in the book. */
  readonly unknownBooked: number
  readonly booked: number
}
