// A simple store with a bug: a touch of a session that does not exist creates it.
import session from 'express-session'

export class MyStore extends session.Store {
  constructor(database) {
    super()
    this.database = database
  }

  get(id, callback) {
    const row = this.database.get(id)
    const live = row && row.expires > Date.now()
    setImmediate(callback, null, live ? JSON.parse(row.json) : null)
  }

  set(id, data, callback = () => {}) {
    const expires = data.cookie.expires ? new Date(data.cookie.expires).getTime() : Date.now() + 86_400_000
    this.database.set(id, { json: JSON.stringify(data), expires })
    setImmediate(callback, null)
  }

  touch(id, data, callback = () => {}) {
    this.set(id, data, callback)
  }

  destroy(id, callback = () => {}) {
    this.database.delete(id)
    setImmediate(callback, null)
  }
}
