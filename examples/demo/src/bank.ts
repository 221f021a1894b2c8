import type { Pool } from 'mysql2/promise'

const ACCOUNTS = 200
const OPENING_BALANCE = 1_000

/** Accounts whose balances add up to something that no transfer may change. */
export async function openAccounts(pool: Pool): Promise<void> {
  await pool.query('CREATE OR REPLACE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL) ENGINE=InnoDB')
  const rows = Array.from({ length: ACCOUNTS }, (_, id) => [id, OPENING_BALANCE])
  await pool.query('INSERT INTO account (id, balance) VALUES ?', [rows])
}

/** Returns the sum of all accounts. */
export async function totalBalance(pool: Pool): Promise<number> {
  const [rows] = await pool.query('SELECT SUM(balance) AS total FROM account')
  return Number((rows as Array<{ total: string }>)[0]?.total)
}

/** Moves some money between two accounts, in one transaction: it happens whole or not at all. */
export async function transfer(pool: Pool): Promise<void> {
  const [from, to] = twoAccounts()
  const amount = 1 + Math.floor(Math.random() * 10)
  const connection = await pool.getConnection()
  try {
    await connection.beginTransaction()
    // Always in the same order, so that two transfers cannot wait for each other.
    await connection.query('SELECT id FROM account WHERE id IN (?, ?) ORDER BY id FOR UPDATE', [from, to])
    await connection.query('UPDATE account SET balance = balance - ? WHERE id = ?', [amount, from])
    await connection.query('UPDATE account SET balance = balance + ? WHERE id = ?', [amount, to])
    await connection.commit()
    connection.release()
  } catch (error) {
    // Whatever state it is in, the server rolls back what was not committed.
    connection.destroy()
    throw error
  }
}

function twoAccounts(): [number, number] {
  const from = Math.floor(Math.random() * ACCOUNTS)
  const step = 1 + Math.floor(Math.random() * (ACCOUNTS - 1))
  return [from, (from + step) % ACCOUNTS]
}
