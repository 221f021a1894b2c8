import { type AdapterIam, type ConnectionTarget, endpointKey } from '@aurora-iam/core/adapter'
import { auroraIamCluster } from '@aurora-iam/mysql2'
import type { NodeOptions, Replication } from './data-source-types.ts'
import { conflict, invalid, named } from './refusals.ts'
import { type Resolved, resolveNode } from './resolve-node.ts'

/**
 * `replication` with the writer and each reader placed, and with nodes that come back after failed logins.
 *
 * @throws {@link AuroraIamError} as {@link resolveNode}, with the names of the nodes' options, and for a `restoreNodeTimeout` of 0
 */
export function resolveReplication(iam: AdapterIam, replication: Replication): Resolved<Replication> {
  const { master, slaves, ...cluster } = replication
  if (!Array.isArray(slaves)) throw invalid('replication.slaves', 'an array of readers', slaves)
  const writer = resolveReplicationNode(iam, master, 'replication.master')
  const readers = slaves.map((slave, index) =>
    resolveReplicationNode(iam, slave, `replication.slaves[${index}]`),
  )
  const [first] = writer.targets
  const targets = [first, ...readers.flatMap((reader) => reader.targets)] as const
  assertOneAddressEach(targets)
  return {
    options: {
      ...named('replication.', () => auroraIamCluster(cluster)),
      master: writer.options,
      slaves: readers.map(({ options }) => options),
    },
    targets,
  }
}

function resolveReplicationNode(iam: AdapterIam, node: NodeOptions, path: string): Resolved<NodeOptions> {
  if (typeof node !== 'object' || node === null) {
    throw invalid(path, 'an object with host, port, username and database', node)
  }
  if (node.ssl !== undefined) {
    throw conflict(
      `${path}.ssl`,
      'TypeORM ignores the `ssl` of a node. Leave it out: each node is verified by its own name. Other certificate authorities go into `ca`',
    )
  }
  return resolveNode(iam, node, `${path}.`)
}

/** mysql2 knows a connection by the name and the port that are signed: they must lead to one place. */
function assertOneAddressEach(targets: readonly ConnectionTarget[]): void {
  const places = new Map<string, string>()
  for (const { hostname, port, fixedAddress } of targets) {
    // A function of the caller decides for each connection.
    if (!fixedAddress) continue
    const endpoint = endpointKey({ hostname, port })
    const dialled = `${fixedAddress.host}:${fixedAddress.port}`
    const already = places.get(endpoint) ?? dialled
    places.set(endpoint, already)
    if (already === dialled) continue
    throw conflict(
      'hostname',
      `Nodes at ${already} and at ${dialled} would both be signed as ${endpoint}. Give each node its own endpoint as \`host\`, and \`dial\` as a function that says where to connect`,
    )
  }
}
