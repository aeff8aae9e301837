import { localSubjects } from './local.ts'
import { mongodbSubjects } from './mongodb.ts'
import { postgresSubjects } from './postgres.ts'
import { redisSubjects } from './redis.ts'
import { sqliteSubjects } from './sqlite.ts'
import type { Open, Place, Subject, Subjects } from './subject.ts'

const subjects: Subjects = {
  ...redisSubjects,
  ...mongodbSubjects,
  ...postgresSubjects,
  ...sqliteSubjects,
  ...localSubjects,
}

/**
 * Opens the subject of this id. A `file:` URL names a module that exports `open`, or, with a subject after
 * `#`, this module of another checkout.
 */
export async function openSubject(id: string, place: Place): Promise<Subject> {
  if (id.startsWith('file:')) {
    const [url, other] = id.split('#')
    const module: { open: Open; openSubject: typeof openSubject } = await import(url!)
    return other === undefined ? module.open(place) : module.openSubject(other, place)
  }
  // The applications load many packages, which the processes of other subjects do not need.
  const open = subjects[id] ?? (await import('./tokens.ts')).tokenSubjects[id]
  if (!open) throw new Error(`nothing opens a subject '${id}'`)
  return open(place)
}
