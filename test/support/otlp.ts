import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** Receives what an application exports by OTLP over HTTP, as JSON, and keeps it. */

/** A span, with its attributes as text. */
export interface Span {
  readonly scope: string
  readonly name: string
  readonly isChild: boolean
  readonly attributes: string
  /** The whole span as it was sent. */
  readonly text: string
}

export interface Collector extends AsyncDisposable {
  /** The environment of an application that exports to this collector. */
  readonly env: Readonly<Record<string, string>>
  spans(): Span[]
  /** Returns the count, or the sum of a counter, of a metric's point with these attributes. */
  metric(name: string, attributes: Readonly<Record<string, string>>): number
}

interface Attribute {
  key: string
  value: Record<string, unknown>
}

interface Scoped {
  scope: { name: string }
  spans?: { name: string; parentSpanId?: string; attributes: Attribute[] }[]
  metrics?: { name: string; histogram?: { dataPoints: Point[] }; sum?: { dataPoints: Point[] } }[]
}

interface Point {
  attributes: Attribute[]
  count?: number
  asInt?: number
  asDouble?: number
}

const valuesOf = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** Opens a collector on a free port. */
export async function openCollector(): Promise<Collector> {
  const received: Scoped[] = []
  const server = createServer(async (req, res) => {
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(await text(req))
    for (const { scopeSpans } of resourceSpans) received.push(...scopeSpans)
    for (const { scopeMetrics } of resourceMetrics) received.push(...scopeMetrics)
    res.setHeader('Content-Type', 'application/json').end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'none',
    },
    spans: () =>
      received.flatMap(({ scope, spans = [] }) =>
        spans.map((span) => ({
          scope: scope.name.replace('@opentelemetry/instrumentation-', ''),
          name: span.name,
          isChild: Boolean(span.parentSpanId),
          attributes: JSON.stringify(valuesOf(span.attributes)),
          text: JSON.stringify(span),
        })),
      ),
    metric(name, wanted) {
      const metrics = received.flatMap((each) => each.metrics ?? []).filter((each) => each.name === name)
      const points = metrics.flatMap(({ histogram, sum }) => (histogram ?? sum)!.dataPoints)
      const text = JSON.stringify(wanted)
      const found = points.filter(({ attributes }) => JSON.stringify(valuesOf(attributes)) === text)
      // Exports are cumulative, so the last one counts.
      const last = found.at(-1)
      return Number(last?.count ?? last?.asInt ?? last?.asDouble ?? 0)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
