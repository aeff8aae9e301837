import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Role } from '../results/results.ts'

/** The role in a chart. A control is drawn with the role of its original. */
export type Drawn = Exclude<Role, 'control'>

/** A row of a chart: a value and its interval. */
export interface Dot {
  label: string
  role: Drawn
  value: number
  low: number
  high: number
}

/** A point of a line. */
export interface Point extends Dot {
  x: number
}

/**
 * Vega draws with these colours. The page replaces them by its own colours, which follow the
 * reader's choice of a light or dark scheme.
 */
const ink = { '#000001': '--ink', '#000002': '--faint', '#000003': '--line' } as const
const inks: Record<string, string> = {
  ...ink,
  '#000004': '--ours',
  '#000005': '--peer',
  '#000006': '--floor',
  '#000007': '--ceiling',
}
export const roles: readonly Drawn[] = ['ours', 'peer', 'floor', 'ceiling']
/** Roles differ in shape as well as in colour. */
const shapes = ['circle', 'square', 'cross', 'triangle-up'] as const

const scales = {
  color: {
    field: 'role',
    type: 'nominal',
    scale: { domain: [...roles], range: ['#000004', '#000005', '#000006', '#000007'] },
    legend: null,
  },
  shape: {
    field: 'role',
    type: 'nominal',
    scale: { domain: [...roles], range: [...shapes] },
    legend: null,
  },
} as const

const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  axis: {
    labelColor: '#000001',
    titleColor: '#000002',
    gridColor: '#000003',
    domainColor: '#000003',
    tickColor: '#000003',
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  view: { stroke: null },
} as const

const WIDTH = 330

/** Number formats of axes: `12k` and `0.3`. */
export const thousands = '~s'
export const plain = '~r'

/**
 * Draws one row for each subject on a logarithmic scale. Name and figure are above the dot, so that
 * long names fit on a phone.
 * @param write formats the displayed figure
 */
export function dots(
  rows: readonly Dot[],
  title: string,
  format: string,
  write: (value: number) => string,
): Promise<string> {
  const x = { type: 'quantitative', scale: { type: 'log', nice: false, padding: 14 } } as const
  const y = { field: 'label', type: 'nominal', sort: null, axis: null } as const
  return draw({
    data: { values: rows.map((row) => ({ ...row, figure: write(row.value) })) },
    width: WIDTH,
    height: { step: 38 },
    layer: [
      {
        mark: { type: 'text', align: 'left', baseline: 'bottom', dy: -3, fontSize: 12, fill: '#000001' },
        encoding: { y, x: { value: 2 }, text: { field: 'label' } },
      },
      {
        mark: { type: 'text', align: 'right', baseline: 'bottom', dy: -3, fontSize: 12, fill: '#000002' },
        encoding: { y, x: { value: WIDTH - 2 }, text: { field: 'figure' } },
      },
      {
        mark: { type: 'rule', strokeWidth: 2, yOffset: 6 },
        encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' }, color: scales.color },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1, yOffset: 6 },
        encoding: {
          ...{ y, color: scales.color, shape: scales.shape },
          x: {
            ...x,
            field: 'value',
            axis: { title, values: gridOf(rows), format, labelOverlap: true, grid: true },
          },
        },
      },
    ],
  })
}

/** A row of the first chart: what is compared on one database. */
export interface Pair {
  title: string
  /** One dot, or two, of which the second is drawn below the first. */
  dots: readonly Dot[]
}

/** The height of a row with two dots, and how far each is from its middle, in units of the chart. */
const PAIR = { step: 27, shift: 5.5 }

/**
 * Draws one row for each database on a logarithmic scale, with the figures at its end. The chart is low
 * enough for the first screen of a phone.
 * @param write formats the displayed figure
 */
export function pairs(
  rows: readonly Pair[],
  format: string,
  write: (value: number) => string,
): Promise<string> {
  const all = rows.flatMap(({ title, dots }) =>
    dots.map((dot, index) => {
      const shift = dots.length < 2 ? 0 : index === 0 ? -PAIR.shift : PAIR.shift
      return { ...dot, title, figure: write(dot.value), shift }
    }),
  )
  const y = { field: 'title', type: 'nominal', sort: null } as const
  const x = { type: 'quantitative', scale: { type: 'log', nice: false, padding: 10 } } as const
  const yOffset = { expr: 'datum.shift' }
  return draw({
    data: { values: all },
    width: WIDTH - 80,
    height: { step: PAIR.step },
    encoding: { y: { ...y, axis: { title: null, domain: false, ticks: false, labelPadding: 8 } } },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2, yOffset },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, color: scales.color },
      },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 1, yOffset },
        encoding: {
          ...{ color: scales.color, shape: scales.shape },
          x: {
            ...x,
            field: 'value',
            axis: { title: null, values: gridOf(all), format, labelOverlap: true, grid: true },
          },
        },
      },
      {
        mark: { type: 'text', align: 'right', baseline: 'middle', fontSize: 11, yOffset },
        encoding: {
          x: { value: WIDTH - 30 },
          text: { field: 'figure' },
          color: scales.color,
        },
      },
    ],
  })
}

/** Returns the grid lines: 1, 10, 100, and intermediate values if there is room. */
function gridOf(rows: readonly Dot[]): number[] {
  const [low, high] = [Math.min(...rows.map((row) => row.low)), Math.max(...rows.map((row) => row.high))]
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))]
  const decades = Math.log10(high / low)
  const steps = decades > 2.5 ? [1] : decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index).flatMap((power) =>
    steps.map((step) => Number(`${step}e${power}`)),
  )
  return all.filter((value) => value > low / 1.2 && value < high * 1.2)
}

/** Draws one line for each subject. Both scales are logarithmic. */
export function lines(
  points: readonly Point[],
  titles: { x: string; y: string },
  format: string,
): Promise<string> {
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: { type: 'log', nice: false, padding: 12 },
    axis: { title: titles.x, format: thousands, values: [...new Set(points.map(({ x }) => x))], grid: false },
  } as const
  const scale = { type: 'log', nice: false, padding: 16 } as const
  return draw({
    data: { values: [...points] },
    width: WIDTH - 40,
    height: 190,
    encoding: { x, color: scales.color, detail: { field: 'label' } },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          y: {
            ...{ field: 'value', type: 'quantitative', scale },
            axis: { title: titles.y, values: gridOf(points), format, labelOverlap: true },
          },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5 },
        encoding: { y: { field: 'low', type: 'quantitative', scale }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'point', filled: true, size: 55, opacity: 1 },
        encoding: { y: { field: 'value', type: 'quantitative', scale }, shape: scales.shape },
      },
    ],
  })
}

async function draw(spec: object): Promise<string> {
  const compiled = compile({ ...spec, config } as TopLevelSpec).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return Object.entries(inks).reduce(
    (text, [colour, name]) => text.replaceAll(`"${colour}"`, `"var(${name})"`),
    svg.replace(/ (width|height)="[\d.]+"/g, (all, _, offset) => (offset < 200 ? '' : all)),
  )
}
