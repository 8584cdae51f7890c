/**
 * Checks that this Node can run TypeScript sources, then runs the module named by the first argument.
 *
 * Plain JavaScript on purpose: it must also start, and complain clearly, on a Node that is too old for the rest.
 */
import { dirname, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const versionMin = [22, 19]
const orphanPollMillis = 500
const [major, minor] = process.versions.node.split(".").map(Number)

if (major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1])) {
  console.error(
    `Pillivery needs Node ${versionMin.join(".")} or newer and this is ${process.version}: ` +
      "run `npm ci` without --ignore-scripts (it installs Node 24 for the npm scripts), then use `npm run`."
  )
  process.exit(2)
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [module, ...rest] = process.argv.slice(2)
if (module === undefined) {
  console.error("usage: node scripts/launch.js MODULE [ARGUMENT...]")
  process.exit(2)
}

// npm passes a SIGTERM to the shell between it and us, and the shell dies without passing it on. Watching for the loss
// of our parent makes `kill` of the npm process end the program in order, as Ctrl-C does.
if (process.env["npm_lifecycle_event"] !== undefined) {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, "SIGTERM")
  }, orphanPollMillis)
  timer.unref()
}

const path = resolve(root, module)
process.argv = [process.argv[0], path, ...rest]
await import(pathToFileURL(path).href)
