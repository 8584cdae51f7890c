/**
 * What a mutation run found: the score, the mutants that no test noticed, and the page that explains them.
 *
 * @since 0.1.0
 */
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { reasons } from "./MutationReasons.ts"
import { root } from "./Workspace.ts"

/** Where the page is. */
export const path = join(root, "docs/reference/mutation.md")

/** The least score of a run that passes, in percent. */
export const scorePercentMin = 85

const textCharsMax = 160

interface Position {
  readonly line: number
  readonly column: number
}

/** The part of Stryker's JSON report that is read here. Lines and columns count from 1. */
interface StrykerReport {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string
        readonly mutants: ReadonlyArray<{
          readonly status: string
          readonly replacement?: string
          readonly location: { readonly start: Position; readonly end: Position }
        }>
      }
    >
  >
}

/** A mutant that no test noticed. */
export interface Survivor {
  readonly line: number
  readonly from: string
  readonly to: string
  /** Tells it from others by what it is, not by where: reasons outlive a change of the lines above. */
  readonly key: string
  readonly isCovered: boolean
}

/** What became of the mutants of one module. */
export interface ModuleReport {
  readonly module: string
  readonly noticed: number
  readonly survivors: ReadonlyArray<Survivor>
}

const shortened = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > textCharsMax ? `${line.slice(0, textCharsMax)}…` : line
}

/** The name of the declaration at the outermost level that a line belongs to. */
const declarationAt = (lines: ReadonlyArray<string>, line: number): string =>
  lines
    .slice(0, line)
    .map((text) => /^(?:export )?(?:const|class|function) (\w+)/.exec(text)?.[1])
    .findLast((name) => name !== undefined) ?? "(module)"

/** Reads Stryker's report, the modules in the order of their names. */
export const readReport = (file: string): ReadonlyArray<ModuleReport> => {
  const report: StrykerReport = JSON.parse(readFileSync(file, "utf8"))
  return Object.entries(report.files)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { mutants, source }]) => {
      const module = basename(name, ".ts")
      const lines = source.split("\n")
      const survivors = mutants
        .filter(({ status }) => status === "Survived" || status === "NoCoverage")
        .map(({ location: { end, start }, replacement = "", status }): Survivor => {
          const text = lines.slice(start.line - 1, end.line)
          const last = text.length - 1
          // From the end first: on a single line the start would move it.
          text[last] = (text[last] ?? "").slice(0, end.column - 1)
          text[0] = (text[0] ?? "").slice(start.column - 1)
          const [from, to] = [shortened(text.join("\n")), shortened(replacement)]
          const key = `${module}.${declarationAt(lines, start.line)}: ${from} → ${to}`
          return { line: start.line, from, to, key, isCovered: status === "Survived" }
        })
        .sort((one, other) => one.line - other.line || (one.key < other.key ? -1 : 1))
      const noticed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length
      return { module, noticed, survivors }
    })
    .filter(({ noticed, survivors }) => noticed + survivors.length > 0)
}

/** Of all mutants that could be noticed, how many were, in percent. */
export const scoreOf = (reports: ReadonlyArray<ModuleReport>): number => {
  const noticed = reports.reduce((sum, report) => sum + report.noticed, 0)
  const survived = reports.reduce((sum, report) => sum + report.survivors.length, 0)
  return noticed + survived === 0 ? 100 : (100 * noticed) / (noticed + survived)
}

const declarationOf = (key: string): string => key.slice(0, key.indexOf(":"))

const reasonOf = (key: string): string | undefined => reasons[key] ?? reasons[declarationOf(key)]

/** The survivors that nobody has given a reason for. */
export const unexplained = (reports: ReadonlyArray<ModuleReport>): ReadonlyArray<Survivor> =>
  reports.flatMap(({ survivors }) => survivors).filter(({ key }) => reasonOf(key) === undefined)

/** The reasons for mutants that do not survive any more. */
export const outlived = (reports: ReadonlyArray<ModuleReport>): ReadonlyArray<string> => {
  const keys = new Set(reports.flatMap(({ survivors }) => survivors.flatMap(({ key }) => [key, declarationOf(key)])))
  return Object.keys(reasons).filter((key) => !keys.has(key))
}

/** A percentage as it is shown: at most two decimals, and never rounded up to a score that was not reached. */
export const percent = (value: number): number => Math.floor(value * 100) / 100

const code = (text: string): string => {
  const fence = text.includes("`") ? "``" : "`"
  return text === "" ? "(nothing)" : `${fence}${text.replaceAll("|", "\\|")}${fence}`
}

const sectionOf = ({ module, survivors }: ModuleReport): ReadonlyArray<string> => [
  `## ${module}`,
  "",
  "| Line | Mutant | Why it survives |",
  "| --- | --- | --- |",
  ...survivors.map(
    ({ from, isCovered, key, line, to }) =>
      `| ${line} | ${code(from)} → ${code(to)}${isCovered ? "" : ", reached by no test"} | ${reasonOf(key) ?? "**no reason yet**"} |`
  ),
  ""
]

/** The page. */
export const generate = (reports: ReadonlyArray<ModuleReport>): string => {
  const survivors = reports.reduce((sum, report) => sum + report.survivors.length, 0)
  const rows = reports.map((report) => {
    const { module, noticed } = report
    return `| ${module} | ${percent(scoreOf([report]))} | ${noticed} | ${report.survivors.length} |`
  })
  const total = reports.reduce((sum, { noticed }) => sum + noticed, 0)
  return [
    "<!-- Generated by `npm run mutation` from packages/domain and scripts/internal/MutationReasons.ts. Do not edit. -->",
    "",
    "# Mutation score",
    "",
    "`npm run mutation` changes the machines, prices and calendar of the domain in one place at a time (a comparison, a",
    "boundary, a branch, a list, an object) and asks the domain's own tests whether they notice. A mutant that no test",
    "notices is either a gap in the tests or a change that changes nothing; each one below says which. The score is the",
    `part that was noticed, in percent; below ${scorePercentMin} the run fails, and so does a survivor without a reason.`,
    "",
    "Not mutated are texts (messages, identifiers) and what is evaluated once while a module loads: schemas, and the tables",
    "of transitions, which [laws of their own](state-machines.md) hold to the functions.",
    "",
    "| Module | Score | Noticed | Survived |",
    "| --- | --: | --: | --: |",
    ...rows,
    `| **All** | **${percent(scoreOf(reports))}** | **${total}** | **${survivors}** |`,
    "",
    ...reports.filter((report) => report.survivors.length > 0).flatMap(sectionOf)
  ].join("\n")
}
