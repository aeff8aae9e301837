import type { Collection, Document, MongoClient } from 'mongodb'
import { Failure } from '../failure.ts'
import { connectMongo } from '../store/open.ts'
import type { Target } from '../store/target.ts'
import type { Examination, Inspected } from './examination.ts'
import { findConnectMongo } from './legacy.ts'

/** Checks the settings of a MongoDB. @throws Failure where it cannot be reached. */
export async function inspectMongo(target: Target, exam: Examination): Promise<Inspected> {
  const client = await connect(target)
  try {
    const admin = client.db('admin')
    const [hello, build] = await Promise.all([admin.command({ hello: 1 }), admin.command({ buildInfo: 1 })])
    const db = client.db(target.mongoDatabase)
    checkServer(exam, hello, build.version)
    checkWriteConcern(exam, db.writeConcern)
    await checkDurability(exam, client, hello)
    const hasRows = await checkIndexes(exam, db.collection(target.collection), target)
    await checkRights(exam, client, db.databaseName, target.collection)
    await findConnectMongo(db, target.collection, exam)
    return {
      version: `MongoDB ${build.version}`,
      async ping() {
        const { localTime } = await admin.command({ hello: 1 })
        return (localTime as Date).getTime()
      },
      hasRows,
      close: () => client.close(),
    }
  } catch (error) {
    await client.close()
    throw error
  }
}

async function connect(target: Target): Promise<MongoClient> {
  try {
    return await connectMongo(target)
  } catch (error) {
    throw new Failure(`MongoDB cannot be reached: ${(error as Error).message}`)
  }
}

function checkServer(exam: Examination, hello: Document, version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  exam.check(
    'mongodb/version',
    major < 4 || (major === 4 && minor < 4),
    'error',
    `MongoDB ${version} is older than the store supports.`,
    'Use MongoDB 4.4 or newer.',
  )
  exam.check(
    'mongodb/standalone',
    hello.setName === undefined && hello.msg !== 'isdbgrid',
    'warning',
    'This is a single server without a replica set: while it is down, or after its disk is lost, nobody is signed in.',
    'Use a replica set of three members.',
  )
}

function checkWriteConcern(exam: Examination, concern: { w?: unknown; journal?: boolean } | undefined): void {
  const { w } = concern ?? {}
  exam.check(
    'mongodb/write-concern',
    w !== undefined && w !== 'majority' && !(typeof w === 'string'),
    'error',
    `The URL asks for the write concern w=${w}: a failover or a crash may undo a logout that was acknowledged.`,
    'Leave w out of the URL, so that the store asks for a majority, or write w=majority.',
  )
}

const DURABLE = ['mongodb/journal', 'mongodb/ttl-monitor', 'mongodb/in-memory']

async function checkDurability(exam: Examination, client: MongoClient, hello: Document): Promise<void> {
  const admin = client.db('admin')
  try {
    const { storageEngine } = await admin.command({ serverStatus: 1 })
    exam.check(
      'mongodb/in-memory',
      storageEngine?.persistent === false,
      'warning',
      `MongoDB keeps its data in memory alone (${storageEngine?.name}): a restart logs every user out.`,
      'Use the storage engine wiredTiger.',
    )
    const { ttlMonitorEnabled } = await admin.command({ getParameter: 1, ttlMonitorEnabled: 1 })
    exam.check(
      'mongodb/ttl-monitor',
      ttlMonitorEnabled === false,
      'warning',
      'MongoDB removes no expired documents (ttlMonitorEnabled false), so the collection grows.',
      'Set the parameter ttlMonitorEnabled to true.',
    )
    if (hello.setName === undefined)
      return exam.skip(['mongodb/journal'], 'only a replica set has the setting')
    const { config } = await admin.command({ replSetGetConfig: 1 })
    exam.check(
      'mongodb/journal',
      config.writeConcernMajorityJournalDefault === false,
      'warning',
      'A majority acknowledges writes before they are on a disk: a power cut may undo a logout.',
      'Set writeConcernMajorityJournalDefault to true in the configuration of the replica set.',
    )
  } catch (error) {
    const done = new Set([...exam.passed, ...exam.findings.map(({ id }) => id), ...exam.ignored])
    exam.skip(
      DURABLE.filter((id) => !done.has(id)),
      `the settings of the server are refused: ${firstSentence(error)}`,
    )
  }
}

/** Returns the message of MongoDB without the command that it repeats. */
const firstSentence = (error: unknown): string => (error as Error).message.split(/[{"]/, 1)[0]!.trim()

/** Returns whether the collection is there and the store's. */
async function checkIndexes(
  exam: Examination,
  collection: Collection,
  { database, collection: name }: Target,
): Promise<boolean> {
  let indexes: Document[]
  try {
    indexes = await collection.listIndexes().toArray()
  } catch (error) {
    const { code } = error as { code?: number }
    if (code !== 26) {
      exam.skip([`${database}/ttl-index`, `${database}/user-index`], firstSentence(error))
      return false
    }
    indexes = []
  }
  exam.check(
    'mongodb/no-collection',
    indexes.length === 0,
    'error',
    `There is no collection ${collection.dbName}.${name}.`,
    'Start the application once, or name another place with --database and --collection.',
  )
  if (indexes.length === 0) return false
  const ttl = indexes.find(({ key }) => Object.keys(key).join() === 'purgeAt')
  exam.check(
    'mongodb/ttl-index',
    ttl?.expireAfterSeconds !== 0,
    'warning',
    'The collection lacks the index by which MongoDB removes expired sessions ({ purgeAt: 1 }, expireAfterSeconds: 0).',
    'Start the application again, which makes the index. If one of that name is another index, drop it before.',
  )
  exam.check(
    'mongodb/user-index',
    !indexes.some(({ key }) => Object.keys(key).join() === 'user,_id'),
    'warning',
    'The collection lacks the index of the users ({ user: 1, _id: 1 }), so lists of a user read all of it.',
    'Start the application again, which makes the index.',
  )
  return !exam.hasFound('mongodb/ttl-index', 'mongodb/user-index')
}

const ACTIONS = ['find', 'insert', 'update', 'remove', 'createIndex']

async function checkRights(
  exam: Examination,
  client: MongoClient,
  database: string,
  collection: string,
): Promise<void> {
  const { authInfo } = await client.db('admin').command({ connectionStatus: 1, showPrivileges: true })
  if (authInfo.authenticatedUsers.length === 0)
    return exam.skip(['mongodb/rights'], 'the connection has no user')
  const isMeant = ({ resource }: Document) =>
    resource.anyResource === true ||
    (['', database].includes(resource.db) && ['', collection].includes(resource.collection))
  const granted = new Set(
    authInfo.authenticatedUserPrivileges.filter(isMeant).flatMap(({ actions }: Document) => actions),
  )
  const missing = ACTIONS.filter((action) => !granted.has(action))
  exam.check(
    'mongodb/rights',
    missing.length > 0,
    'error',
    `The user of MongoDB lacks rights that the store needs: ${missing.join(', ')}.`,
    `Grant it the role readWrite on the database ${database}.`,
  )
}
