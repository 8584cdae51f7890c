/**
 * `npm run http-examples`: runs the tests of the HTTP side while it keeps what they send and are answered, and writes
 * docs/reference/http-api.md from it. It ends with 1, and says what is missing, when an endpoint or one of its statuses
 * was never seen.
 *
 * @since 0.1.0
 */
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Failure, runMain } from "./internal/Failure.ts"
import type { Recorded } from "../packages/adapters-http/test/Recorder.ts"
import { pageOf } from "./internal/HttpApiPage.ts"
import { root } from "./internal/Workspace.ts"

const outputBytesMax = 64 * 1_024 * 1_024

runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), "pillivery-http-"))
  try {
    await promisify(execFile)(
      process.execPath,
      [join(root, "scripts/launch.js"), "scripts/test.ts", "packages/adapters-http/test"],
      {
        cwd: root,
        env: { ...process.env, PILLIVERY_HTTP_EXAMPLES: folder },
        maxBuffer: outputBytesMax
      }
    )
    const recorded = readdirSync(folder).flatMap((file) =>
      readFileSync(join(folder, file), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line): Recorded => JSON.parse(line))
    )
    const { missing, page } = pageOf(recorded)
    writeFileSync(join(root, "docs/reference/http-api.md"), page)
    console.log(`docs/reference/http-api.md from ${recorded.length} requests`)
    if (missing.length === 0) return 0
    throw new Failure(`no example of: ${missing.join(", ")}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
