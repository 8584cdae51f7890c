#!/usr/bin/env node
// Runs the TypeScript sources in a workspace, and the compiled files once installed: Node strips no types below node_modules.

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`kakaopay-simulator needs Node 22.19 or newer; this is ${process.version}.`)
  process.exit(1)
}

const isInstalled = import.meta.url.includes("/node_modules/")
await import(new URL(isInstalled ? "../dist/main.js" : "../src/main.ts", import.meta.url).href)
