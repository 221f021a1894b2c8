import { Column, Entity, PrimaryColumn } from 'typeorm'

@Entity()
export class Account {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  owner!: string

  @Column({ type: 'int' })
  balance!: number
}
