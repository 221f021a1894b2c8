import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadPeers } from '../../src/lifetime/dead-peers.ts'
import { type KernelTimer, kernelTimerOf, readKernelTimer } from '../../src/lifetime/kernel-timer.ts'

const LOST: KernelTimer = { kind: 'retransmit', retransmits: 7 }

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
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  await Promise.all([once(socket, 'connect'), accepted])
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  return socket
}

test('data that is not acknowledged: the socket ends with ETIMEDOUT in less than 45 s', async () => {
  const socket = await open()
  new DeadPeers(async () => LOST).watch(socket)
  socket.write('SELECT 1')
  const ended = once(socket, 'error')
  await vi.advanceTimersByTimeAsync(29_000)
  expect(socket.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(15_000)
  expect((await ended)[0]).toMatchObject({ code: 'ETIMEDOUT' })
})

test.each<[string, KernelTimer | undefined]>([
  ['a query runs, its data was acknowledged', { kind: 'keep-alive', retransmits: 0 }],
  ['the peer takes no more data', { kind: 'other', retransmits: 0 }],
  ['a packet was lost once', { ...LOST, retransmits: 1 }],
  ['the system reports no timers', undefined],
])('%s: the socket stays open', async (_title, timer) => {
  const socket = await open()
  new DeadPeers(async () => timer).watch(socket)
  socket.write('SELECT SLEEP(600)')
  await vi.advanceTimersByTimeAsync(600_000)
  expect(socket.destroyed).toBe(false)
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

test.runIf(process.platform === 'linux')(
  'an idle connection with keep-alive: the kernel reports its timer',
  async () => {
    const socket = await open()
    socket.setKeepAlive(true, 30_000)
    expect(await kernelTimerOf(socket)).toEqual({ kind: 'keep-alive', retransmits: 0 })
  },
)

test('the table of the kernel: the line of both ports is read', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:D431 0100007F:0CEA 01 00000009:00000000 01:000001F4 00000006     0        0 2 2 0 20 4 30 10 -1`
  expect(readKernelTimer(table, 0xd431, 0x0cea)).toEqual({ kind: 'retransmit', retransmits: 6 })
  expect(readKernelTimer(table, 0x0cea, 0xd431)).toBeUndefined()
})
