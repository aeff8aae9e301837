import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'

export interface User {
  id: string
  name: string
}

/** N = 2^17, r = 8, p = 1, as the OWASP Password Storage Cheat Sheet asks of scrypt; it takes 128 MiB. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 }

const hash = promisify<string, Buffer, number, typeof COST, Buffer>(scrypt)

/** The people who signed up, in a SQLite file of their own: they stay wherever the sessions are kept. */
export class Users {
  #database: Database.Database
  /** Compared with where there is no such user, so that the answer takes as long. */
  #nobody = { id: '', name: '', salt: randomBytes(16), hash: randomBytes(32) }

  constructor(path: string) {
    this.#database = new Database(path)
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        salt BLOB NOT NULL,
        hash BLOB NOT NULL
      ) STRICT`)
  }

  /** The new user, or nothing if the name is taken. */
  async signUp(name: string, password: string): Promise<User | undefined> {
    const id = randomBytes(9).toString('base64url')
    const salt = randomBytes(16)
    const hashed = await hash(password.normalize('NFKC'), salt, 32, COST)
    const insert = this.#database.prepare('INSERT INTO users VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
    return insert.run(id, name, salt, hashed).changes === 1 ? { id, name } : undefined
  }

  /** The user, if name and password are right. */
  async signIn(name: string, password: string): Promise<User | undefined> {
    const select = this.#database.prepare<string, User & { salt: Buffer; hash: Buffer }>(
      'SELECT id, name, salt, hash FROM users WHERE name = ?',
    )
    const user = select.get(name) ?? this.#nobody
    const hashed = await hash(password.normalize('NFKC'), user.salt, 32, COST)
    return timingSafeEqual(hashed, user.hash) ? { id: user.id, name: user.name } : undefined
  }

  close(): void {
    this.#database.close()
  }
}
