import type { DataSourceOptions } from 'typeorm'

/**
 * TypeORM's options for MySQL and MariaDB. TypeORM does not export their type, whose name differs between 0.3 and 1.x.
 */
export type MysqlDataSourceOptions = Extract<DataSourceOptions, { type: 'mysql' | 'mariadb' }>

/** Writer and readers, each with an address and a user of its own. */
export type Replication = NonNullable<MysqlDataSourceOptions['replication']>

/** What says where one database is and who logs in: part of the options, or one node of {@link Replication}. */
export type NodeOptions = Replication['master']
