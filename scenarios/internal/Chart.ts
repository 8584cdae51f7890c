/**
 * A timeline as SVG: panels over one time axis, with bands behind them for what was going on.
 *
 * It is text with a style of its own, so that it follows the reader's light or dark theme also inside an `img`.
 */

/** A colour of the palette, which can be told apart without seeing red and green. */
export type Ink = "good" | "bad" | "cut" | "plain"

/** One line of a panel; points in the order of time. */
export interface Series {
  readonly name: string
  readonly ink: Ink
  readonly points: ReadonlyArray<readonly [seconds: number, value: number]>
}

/** One value axis and its lines. */
export interface Panel {
  /** What is counted, with its unit. */
  readonly label: string
  readonly series: ReadonlyArray<Series>
  /** A level to compare with. */
  readonly level?: { readonly value: number; readonly label: string }
}

/** A stretch of time with a name. */
export interface Band {
  readonly from: number
  readonly to: number
  readonly label: string
  readonly ink: Ink
}

/** A whole chart. */
export interface Chart {
  readonly title: string
  readonly description: string
  readonly timeLabel: string
  readonly seconds: number
  readonly bands: ReadonlyArray<Band>
  readonly panels: ReadonlyArray<Panel>
}

const width = 880
const left = 64
const right = 16
const headHeight = 44
const bandLabelHeight = 22
const panelHeight = 120
const panelGap = 40
const footHeight = 44
const timeTicks = 10
const valueTicks = 4
const bandLabelWidthPerChar = 6.6

const style = `
  text { font: 12px system-ui, sans-serif; fill: var(--text) }
  .title { font-size: 15px; font-weight: 600 }
  .small { font-size: 11px; fill: var(--muted) }
  .grid { stroke: var(--grid); stroke-width: 1 }
  .level { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 5 4 }
  .line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
  .good { --ink: var(--blue) } .bad { --ink: var(--orange) } .cut { --ink: var(--purple) } .plain { --ink: var(--muted) }
  .line, .key { stroke: var(--ink) }
  .band { fill: var(--ink); opacity: 0.13 }
  .key { stroke-width: 3 }
  svg { --text: #1f2328; --muted: #59636e; --grid: #d1d9e0; --page: #ffffff;
        --blue: #0072b2; --orange: #c44900; --purple: #8a3b9c }
  @media (prefers-color-scheme: dark) {
    svg { --text: #f0f6fc; --muted: #9198a1; --grid: #3d444d; --page: #0d1117;
          --blue: #56b4e9; --orange: #f0a030; --purple: #d59be6 }
  }`

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

/** The step of 1, 2 or 5 times a power of ten that makes about `count` ticks. */
const stepFor = (span: number, count: number): number => {
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10
  return factor * power
}

const ticksTo = (max: number, count: number): ReadonlyArray<number> => {
  const step = stepFor(max, count)
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, index) => index * step)
}

const shown = (value: number): string => Number(value.toPrecision(6)).toLocaleString("en-US")
const place = (value: number): string => value.toFixed(1)

const panelTop = (index: number): number => headHeight + bandLabelHeight + index * (panelHeight + panelGap) + 18

const panelMarkup = (panel: Panel, index: number, x: (seconds: number) => number): string => {
  const top = panelTop(index)
  const bottom = top + panelHeight
  const highest = Math.max(panel.level?.value ?? 0, ...panel.series.flatMap(({ points }) => points.map(([, y]) => y)))
  const step = stepFor(highest === 0 ? 1 : highest, valueTicks)
  const max = Math.max(step, Math.ceil(highest / step) * step)
  const y = (value: number): number => bottom - (value / max) * panelHeight
  const grid = ticksTo(max, valueTicks).map(
    (tick) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${place(y(tick))}" y2="${place(y(tick))}"/>` +
      `<text class="small" text-anchor="end" x="${left - 6}" y="${place(y(tick) + 4)}">${shown(tick)}</text>`
  )
  let keyX = width - right
  const keys = panel.series
    .map((series) => {
      keyX -= series.name.length * bandLabelWidthPerChar + 30
      return (
        `<g class="${series.ink}"><line class="key" x1="${place(keyX)}" x2="${place(keyX + 16)}" y1="${top - 10}" y2="${top - 10}"/>` +
        `<text class="small" x="${place(keyX + 20)}" y="${top - 6}">${escape(series.name)}</text></g>`
      )
    })
    .join("")
  const lines = panel.series.map(({ ink, points }) => {
    const path = points.map(([seconds, value], at) => `${at === 0 ? "M" : "L"}${place(x(seconds))} ${place(y(value))}`)
    return `<path class="line ${ink}" d="${path.join("")}"/>`
  })
  const level =
    panel.level === undefined
      ? ""
      : `<line class="level" x1="${left}" x2="${width - right}" y1="${place(y(panel.level.value))}" y2="${place(y(panel.level.value))}"/>` +
        `<text class="small" text-anchor="end" x="${width - right - 6}" y="${place(y(panel.level.value) - 5)}">${escape(panel.level.label)}</text>`
  const name = `<text x="${left + 6}" y="${top - 6}">${escape(panel.label)}</text>`
  return [...grid, name, keys, level, ...lines].join("\n")
}

/** Draws the chart. */
export const render = (chart: Chart): string => {
  const bottom = panelTop(chart.panels.length - 1) + panelHeight
  const height = bottom + footHeight
  const x = (seconds: number): number => left + (seconds / chart.seconds) * (width - left - right)
  const bands = chart.bands.map(({ from, ink, label, to }) => {
    const bandWidth = x(to) - x(from)
    const fits = label.length * bandLabelWidthPerChar <= bandWidth
    return (
      `<g class="${ink}"><rect class="band" x="${place(x(from))}" y="${headHeight}" width="${place(bandWidth)}" height="${bottom - headHeight}"/></g>` +
      (fits
        ? `<text class="small" text-anchor="middle" x="${place(x(from) + bandWidth / 2)}" y="${headHeight + 15}">${escape(label)}</text>`
        : "")
    )
  })
  const times = ticksTo(chart.seconds, timeTicks).map(
    (tick) =>
      `<line class="grid" x1="${place(x(tick))}" x2="${place(x(tick))}" y1="${bottom}" y2="${bottom + 5}"/>` +
      `<text class="small" text-anchor="middle" x="${place(x(tick))}" y="${bottom + 18}">${shown(tick)}</text>`
  )
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(chart.title)}</title>`,
    `<desc id="description">${escape(chart.description)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect width="${width}" height="${height}" style="fill: var(--page)"/>`,
    `<text class="title" x="${left}" y="26">${escape(chart.title)}</text>`,
    ...bands,
    ...chart.panels.map((panel, index) => panelMarkup(panel, index, x)),
    ...times,
    `<text class="small" text-anchor="middle" x="${place((left + width - right) / 2)}" y="${height - 8}">${escape(chart.timeLabel)}</text>`,
    "</svg>"
  ].join("\n")}\n`
}

/** Counts moments into buckets of equal length; each bucket's value is a rate per second. */
export const ratePerSecond = (
  moments: ReadonlyArray<number>,
  options: { readonly seconds: number; readonly bucketSeconds: number }
): ReadonlyArray<readonly [number, number]> => {
  const counts = Array.from({ length: Math.ceil(options.seconds / options.bucketSeconds) }, () => 0)
  for (const moment of moments) {
    const bucket = Math.min(counts.length - 1, Math.max(0, Math.floor(moment / options.bucketSeconds)))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  return counts.map((count, bucket) => {
    const middle = (bucket + 0.5) * options.bucketSeconds
    return [Math.min(middle, options.seconds), count / options.bucketSeconds] as const
  })
}
