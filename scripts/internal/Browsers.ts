/**
 * Finds the browser in which the customer's page is tested, and a font it can show Korean with.
 *
 * @since 0.1.0
 */
import { existsSync } from "node:fs"
import { findProgram, run } from "./Process.ts"

const listTimeoutMillis = 10_000

const macPaths = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
]

/** The path of the Chromium or Chrome of this machine, if it has one. */
export const findBrowser = (): string | undefined =>
  findProgram("chromium", "chromium-browser", "google-chrome", "google-chrome-stable") ??
  (process.platform === "darwin" ? macPaths.find((path) => existsSync(path)) : undefined)

/** Whether Korean can be shown. Only fontconfig is asked: other systems bring a Korean font with them. */
export const hasKoreanFont = async (): Promise<boolean> => {
  if (process.platform !== "linux") return true
  const list = findProgram("fc-list")
  if (list === undefined) return false
  const fonts = await run(list, [":lang=ko", "family"], { timeoutMillis: listTimeoutMillis })
  return fonts.code === 0 && fonts.stdout.trim() !== ""
}
