/** Keeps what was sent and answered, for the examples of the reference; only where a folder is named to keep it in. */
import { appendFileSync } from "node:fs"
import { join } from "node:path"

/** The variable that names the folder. */
const folder = process.env["PILLIVERY_HTTP_EXAMPLES"] ?? ""
const file = join(folder, `${process.pid}.ndjson`)
const textLengthMax = 6_000

/** One request and its answer. */
export interface Recorded {
  readonly method: string
  readonly path: string
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly body: string | null }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
}

/** Keeps one, unless it is long. */
export const record = (recorded: Recorded): void => {
  if (folder === "") return
  const text = JSON.stringify(recorded)
  if (text.length <= textLengthMax) appendFileSync(file, `${text}\n`)
}
