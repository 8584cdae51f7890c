/**
 * What a scenario leaves behind: its claims on the terminal, and its numbers and timeline in `docs/explanation`.
 *
 * The numbers stand between two markers of the page and are written by the scenario alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { dirname, join } from "node:path"
import { root } from "../../scripts/internal/Workspace.ts"

/** Something the shop promises, and whether it held. */
export interface Claim {
  readonly what: string
  readonly found: string
  readonly holds: boolean
}

/** A row of the page: what was measured, and how much it was. */
export type Row = readonly [what: string, value: string]

const pagePath = join(root, "docs/explanation/scenarios.md")

/** Where the timeline of a scenario is drawn. */
export const timelinePath = (name: string): string => join(root, "docs/explanation/scenarios", `${name}.svg`)

/** Replaces what stands between the markers of a name; throws where they are missing. */
export const between = (page: string, name: string, content: string): string => {
  const begin = `<!-- ${name}: written by the scenario -->`
  const end = `<!-- ${name}: end -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the page has no place for the numbers of ${name}`)
  return `${page.slice(0, from)}${begin}\n\n${content}\n\n${page.slice(to)}`
}

/** The rows as a table, under a line that says where they come from. */
export const table = (rows: ReadonlyArray<Row>): string =>
  [
    `Last run on ${availableParallelism()} cores with Node ${process.versions.node}:`,
    "",
    "| measured | value |",
    "| --- | --- |",
    ...rows.map(([what, value]) => `| ${what} | ${value} |`)
  ].join("\n")

/** Writes numbers and timeline of a scenario into the documentation. */
export const write = (name: string, rows: ReadonlyArray<Row>, timeline: string): void => {
  writeFileSync(pagePath, between(readFileSync(pagePath, "utf8"), name, table(rows)))
  mkdirSync(dirname(timelinePath(name)), { recursive: true })
  writeFileSync(timelinePath(name), timeline)
}

/** Prints the claims; answers whether all hold. */
export const judge = (claims: ReadonlyArray<Claim>): boolean => {
  for (const { found, holds, what } of claims) console.log(`${holds ? "holds " : "FAILED"} ${what}: ${found}`)
  return claims.every(({ holds }) => holds)
}

/** The value below which a share of the values lies; 0 of none. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
