import { Injectable } from '@nestjs/common'
import { InjectDataSource } from '@nestjs/typeorm'
import type { DataSource } from 'typeorm'
import { Account } from './account.ts'

@Injectable()
export class Bank {
  @InjectDataSource()
  private readonly dataSource!: DataSource

  open(owner: string, balance: number): Promise<Account> {
    return this.dataSource.manager.save(Account, { owner, balance })
  }

  transfer(from: string, to: string, amount: number): Promise<void> {
    return this.dataSource.transaction(async (manager) => {
      await manager.decrement(Account, { owner: from }, 'balance', amount)
      await manager.increment(Account, { owner: to }, 'balance', amount)
    })
  }

  accounts(): Promise<Account[]> {
    return this.dataSource.manager.find(Account, { order: { owner: 'ASC' } })
  }

  async whoAmI(): Promise<string> {
    const [row] = await this.dataSource.query("SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AS name")
    return row.name
  }
}
