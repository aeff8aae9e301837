import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

interface Screen {
  /** In pixels. */
  width: number
  height: number
  scheme: 'light' | 'dark'
}

interface Seen {
  /** Messages on the console, including the browser's own errors and warnings. */
  said: string[]
  /** All requested URLs. */
  asked: string[]
  /** The result of the expression. */
  result: unknown
}

/** An answer of the protocol. The caller knows its fields. */
// biome-ignore lint/suspicious/noExplicitAny: its types would be a package.
type Answer = Record<string, any>

type Event = { method: string; params: Answer; sessionId?: string }

/** A headless browser that is controlled by the DevTools protocol. */
export class Browser {
  readonly #process: ChildProcess
  readonly #socket: WebSocket
  readonly #answers = new Map<number, PromiseWithResolvers<Answer>>()
  readonly #hear = new Set<(event: Event) => void>()
  #last = 0

  private constructor(process: ChildProcess, socket: WebSocket) {
    this.#process = process
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data))
      const answer = this.#answers.get(message.id)
      if (!answer) for (const hear of this.#hear) hear(message)
      else if (message.error) answer.reject(new Error(message.error.message))
      else answer.resolve(message.result)
    })
  }

  /**
   * Starts a browser.
   * @param folder the parent folder of its profile
   */
  static async start(file: string, folder: string): Promise<Browser> {
    const quiet = ['background-networking', 'component-update', 'sync', 'quic', 'gpu', 'dev-shm-usage']
    const child = spawn(
      file,
      [
        ...['--headless', '--no-sandbox', '--no-first-run', '--remote-debugging-port=0'],
        ...quiet.map((what) => `--disable-${what}`),
        `--user-data-dir=${join(folder, 'profile')}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    const url = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => reject(new Error(`the browser ended: ${said}`)))
      child.stderr!.on('data', (text) => {
        said += text
        const found = /^DevTools listening on (ws:.*)$/m.exec(said)
        if (found) resolve(found[1]!)
      })
    })
    const socket = new WebSocket(url)
    await once(socket, 'open')
    return new Browser(child, socket)
  }

  /**
   * Opens a page with scripts disabled, and evaluates an expression after it was loaded, which may be
   * a promise.
   */
  async look(url: string, { width, height, scheme }: Screen, expression: string): Promise<Seen> {
    const { targetId } = await this.#ask('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.#ask('Target.attachToTarget', { targetId, flatten: true })
    const ask = (method: string, params: object = {}) => this.#ask(method, params, sessionId)
    const seen: Seen = { said: [], asked: [], result: undefined }
    const loaded = Promise.withResolvers<void>()
    const hear = ({ method, params, sessionId: from }: Event): void => {
      if (from !== sessionId) return
      if (method === 'Page.loadEventFired') loaded.resolve()
      if (method === 'Network.requestWillBeSent') seen.asked.push(params.request.url)
      if (['Log.entryAdded', 'Runtime.consoleAPICalled', 'Runtime.exceptionThrown'].includes(method))
        seen.said.push(JSON.stringify(params))
    }
    this.#hear.add(hear)
    try {
      for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await ask(`${domain}.enable`)
      await ask('Emulation.setDeviceMetricsOverride', {
        ...{ width, height, deviceScaleFactor: 1, mobile: false },
      })
      // A phone draws its scrollbars over the page.
      await ask('Emulation.setScrollbarsHidden', { hidden: width < 640 })
      const features = [{ name: 'prefers-color-scheme', value: scheme }]
      await ask('Emulation.setEmulatedMedia', { features })
      await ask('Emulation.setScriptExecutionDisabled', { value: true })
      await ask('Page.navigate', { url })
      await loaded.promise
      // The page had no script of its own until here; a promise of the expression may need a timer.
      await ask('Emulation.setScriptExecutionDisabled', { value: false })
      const evaluated = await ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
      const { exceptionDetails: failure, result } = evaluated
      if (failure) throw new Error(failure.exception?.description ?? failure.text)
      seen.result = result.value
      return seen
    } finally {
      this.#hear.delete(hear)
      await this.#ask('Target.closeTarget', { targetId })
    }
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'close')
    this.#socket.close()
    this.#process.kill()
    await ended
  }

  #ask(method: string, params: object, sessionId?: string): Promise<Answer> {
    const id = ++this.#last
    const answer = Promise.withResolvers<Answer>()
    this.#answers.set(id, answer)
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    return answer.promise
  }
}
