#!/usr/bin/env node
import { existsSync } from "node:fs"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const nodeMajorMin = 22
const source = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const built = fileURLToPath(new URL("../dist/main.js", import.meta.url))
const isWorkspace = existsSync(source) && !source.includes("/node_modules/")

if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
  console.error(`pillivery-billing needs Node ${nodeMajorMin} or newer; this is ${process.versions.node}.`)
  process.exitCode = 2
} else if (isWorkspace) {
  const child = spawn(process.execPath, ["--conditions=@pillivery/source", source, ...process.argv.slice(2)], {
    stdio: "inherit"
  })
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code) => {
    process.exitCode = code ?? 1
  })
} else {
  await import(built)
}
