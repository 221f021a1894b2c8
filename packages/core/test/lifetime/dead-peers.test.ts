import { once } from 'node:events'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadPeers } from '../../src/lifetime/dead-peers.ts'
import { type KernelTimer, kernelTimerOf, readKernelTimer } from '../../src/lifetime/kernel-timer.ts'

const LOST: KernelTimer = { kind: 'retransmit', retransmits: 6 }

const sockets: Socket[] = []
const server = createServer((socket) => sockets.push(socket))

beforeEach(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterEach(() => {
  vi.useRealTimers()
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

async function open(): Promise<Socket> {
  const { port, address } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const socket = connect(port, address)
  sockets.push(socket)
  await Promise.all([once(socket, 'connect'), accepted])
  useMovedClock('setInterval')
  return socket
}

test('data that is not acknowledged: the socket ends with ETIMEDOUT, 30 s after the first look at it', async () => {
  const socket = await open()
  new DeadPeers(async () => LOST).watch(socket)
  socket.write('SELECT 1')
  const ended = once(socket, 'error')
  await vi.advanceTimersByTimeAsync(34_999)
  expect(socket.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(socket.destroyed).toBe(true)
  expect((await ended)[0]).toMatchObject({
    code: 'ETIMEDOUT',
    message: expect.stringContaining('acknowledged no data for 30 s'),
  })
})

test.each<[title: string, timer: KernelTimer | undefined, isAskedAgain: boolean]>([
  ['a query runs, its data was acknowledged', { kind: 'keep-alive', retransmits: 0 }, false],
  ['the peer takes no more data', { kind: 'other', retransmits: 0 }, true],
  ['a packet was lost some times', { ...LOST, retransmits: 5 }, true],
  ['the system reports no timers', undefined, false],
])('%s: the socket stays open', async (_title, timer, isAskedAgain) => {
  const socket = await open()
  const timerOf = vi.fn(async () => timer)
  new DeadPeers(timerOf).watch(socket)
  socket.write('SELECT SLEEP(600)')
  await vi.advanceTimersByTimeAsync(40_000)
  expect(timerOf).toHaveBeenCalledTimes(isAskedAgain ? 2 : 1)
  await vi.advanceTimersByTimeAsync(560_000)
  expect(socket.destroyed).toBe(false)
})

test('the answer of the kernel came after more data: it says nothing about that', async () => {
  const socket = await open()
  const answers: Array<(timer: KernelTimer) => void> = []
  new DeadPeers(() => new Promise((resolve) => answers.push(resolve))).watch(socket)
  socket.write('SELECT 1')
  await vi.advanceTimersByTimeAsync(35_000)
  const row = once(socket, 'data')
  sockets.find((one) => one !== socket)!.write('row')
  await row
  await vi.advanceTimersByTimeAsync(5_000)
  answers[0]!({ kind: 'keep-alive', retransmits: 0 })
  await vi.advanceTimersByTimeAsync(30_000)
  expect(answers).toHaveLength(2)
})

test('data was written right after an answer, between two looks: the socket ends with ETIMEDOUT', async () => {
  const socket = await open()
  new DeadPeers(async () => LOST).watch(socket)
  const peer = sockets.find((one) => one !== socket)!
  const answer = once(socket, 'data')
  peer.write('row')
  await answer
  socket.write('SELECT 1')
  const ended = once(socket, 'error')
  await vi.advanceTimersByTimeAsync(40_000)
  expect((await ended)[0]).toMatchObject({ code: 'ETIMEDOUT' })
})

test('a socket falls idle after an answer: one call of the kernel', async () => {
  const socket = await open()
  const timerOf = vi.fn(async () => ({ kind: 'keep-alive', retransmits: 0 }) as const)
  new DeadPeers(timerOf).watch(socket)
  const peer = sockets.find((one) => one !== socket)!
  const answer = once(socket, 'data')
  socket.write('SELECT 1')
  peer.write('row')
  await answer
  await vi.advanceTimersByTimeAsync(600_000)
  expect(timerOf).toHaveBeenCalledOnce()
})

test('an idle socket, and one that gets answers: no call of the kernel', async () => {
  const socket = await open()
  let questions = 0
  const peers = new DeadPeers(async () => {
    questions++
    return LOST
  })
  peers.watch(socket)
  await vi.advanceTimersByTimeAsync(120_000)
  const peer = sockets.find((one) => one !== socket)!
  peer.on('data', () => peer.write('row'))
  for (let query = 0; query < 5; query++) {
    const answer = once(socket, 'data')
    socket.write('SELECT 1')
    await answer
    await vi.advanceTimersByTimeAsync(20_000)
  }
  expect(questions).toBe(0)
})

test('the last socket closes: no timer is left', async () => {
  const socket = await open()
  new DeadPeers().watch(socket)
  socket.destroy()
  await once(socket, 'close')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(vi.getTimerCount()).toBe(0)
})

const hasIpv6 = networkInterfaces().lo?.some(({ family }) => family === 'IPv6')

test.runIf(process.platform === 'linux').each(['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])])(
  'an idle connection with keep-alive to %s: the kernel reports its timer',
  async (address) => {
    server.close()
    await once(server.listen(0, address), 'listening')
    const socket = await open()
    socket.setKeepAlive(true, 30_000)
    expect(await kernelTimerOf(socket)).toEqual({ kind: 'keep-alive', retransmits: 0 })
  },
)

test('a socket that has closed, also at one end alone: no timer', async () => {
  for (const ports of [{}, { localPort: 3306 }, { remotePort: 3306 }]) {
    expect(await kernelTimerOf(ports as Socket)).toBeUndefined()
  }
})

test('a system without such a table: no timer', async () => {
  const { readFile } = fs.promises
  fs.promises.readFile = (() => Promise.reject(new Error('ENOENT'))) as never
  syncBuiltinESMExports()
  try {
    expect(await kernelTimerOf({ localPort: 50_000, remotePort: 3306 } as Socket)).toBeUndefined()
  } finally {
    fs.promises.readFile = readFile
    syncBuiltinESMExports()
  }
})

test('the table of the kernel: the line of both ports is read', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:D431 0100007F:0CEA 01 00000009:00000000 01:000001F4 0000000A     0        0 2 2 0 20 4 30 10 -1
   2: 0100007F:D432 0100007F:0CEA 01 00000000:00000000 04:00000000 00000000     0        0 3 2 0 20 4 30 10 -1
   3: 0100007F:D433 0100007F:0CEA 01 00000000:00000000 01:00000000 00000006     0        0 4 2 0 20 4 30 10 -1
   4: 0100007F:D433 0200007F:0CEA 01 00000000:00000000 02:00000000 00000000     0        0 5 2 0 20 4 30 10 -1
`
  expect(readKernelTimer(table, 0xd431, 0x0cea)).toEqual({ kind: 'retransmit', retransmits: 10 })
  expect(readKernelTimer(table, 0xd432, 0x0cea)).toEqual({ kind: 'other', retransmits: 0 })
  expect(readKernelTimer(table, 0x0cea, 0xd431)).toBeUndefined()
  // Two connections with the same ports: which of them is asked for is not known.
  expect(readKernelTimer(table, 0xd433, 0x0cea)).toEqual({ kind: 'other', retransmits: 0 })
})
