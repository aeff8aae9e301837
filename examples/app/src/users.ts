import { randomBytes, timingSafeEqual } from 'node:crypto'
import Database from 'better-sqlite3'
import { type Credentials, findProblem } from './credentials.ts'
import { makeDatabasePrivate } from './files.ts'
import { type HasherOptions, PasswordHasher } from './passwords.ts'

export interface User {
  id: string
  name: string
}

/**
 * The people who signed up, and their notes. They are stored in a separate SQLite file, wherever
 * the sessions are.
 */
export class Users {
  #database: Database.Database
  #hasher: PasswordHasher
  /** Stands in for a user that does not exist, so that the answer takes equally long. */
  #nobody = { id: '', name: '', salt: randomBytes(16), hash: randomBytes(32) }

  constructor(path: string, options?: HasherOptions) {
    if (path !== ':memory:') makeDatabasePrivate(path)
    this.#hasher = new PasswordHasher(options)
    this.#database = new Database(path)
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        salt BLOB NOT NULL,
        hash BLOB NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (id),
        text TEXT NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS notes_by_user ON notes (user)`)
  }

  find(id: string): User | undefined {
    return this.#database.prepare<string, User>('SELECT id, name FROM users WHERE id = ?').get(id)
  }

  /** Returns the newest notes of a user. */
  notesOf(user: string): string[] {
    const select = this.#database.prepare<string, { text: string }>(
      'SELECT text FROM notes WHERE user = ? ORDER BY id DESC LIMIT 50',
    )
    return select.all(user).map(({ text }) => text)
  }

  addNote(user: string, text: string): void {
    this.#database.prepare('INSERT INTO notes (user, text) VALUES (?, ?)').run(user, text)
  }

  /**
   * Returns the new user, or `undefined` if the name is taken. The credentials must have no
   * problem.
   */
  async signUp({ name, password }: Credentials): Promise<User | undefined> {
    const id = randomBytes(9).toString('base64url')
    const salt = randomBytes(16)
    const hash = await this.#hasher.hash(password, salt)
    const insert = this.#database.prepare('INSERT INTO users VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
    return insert.run(id, name, salt, hash).changes === 1 ? { id, name } : undefined
  }

  /** Returns the user if name and password are right. */
  async signIn(credentials: Credentials): Promise<User | undefined> {
    // Nobody can have signed up with these credentials, so an early answer reveals nothing.
    if (findProblem(credentials)) return undefined
    const { name, password } = credentials
    const select = this.#database.prepare<string, User & { salt: Buffer; hash: Buffer }>(
      'SELECT id, name, salt, hash FROM users WHERE name = ?',
    )
    const user = select.get(name) ?? this.#nobody
    const hash = await this.#hasher.hash(password, user.salt)
    return timingSafeEqual(hash, user.hash) ? { id: user.id, name: user.name } : undefined
  }

  close(): void {
    this.#database.close()
  }
}
