/**
 * Servers that break while they are spoken to, as data.
 */
import type { Socket } from "node:net"
import * as Provider from "./Provider.ts"

const isWhole = (text: string) => {
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  const body = text.split("\r\n\r\n")[1]
  return length !== undefined && body !== undefined && Buffer.byteLength(body) >= Number(length)
}

/** Does something once a whole request was read. */
export const afterRequest = (react: (socket: Socket) => void) => ({
  onText: (socket: Socket, text: string) => {
    if (isWhole(text)) react(socket)
  }
})

/** Leaves a connection as it is. */
export const nothing = () => {}
/** An approval of the charge that is made here. */
export const approvalText = JSON.stringify(Provider.approval({ sid: Provider.sid }))

const switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"

/** Servers that break at one stage after the request was begun. The answer is always Unknown, and there is one request. */
export const broken: ReadonlyArray<{
  readonly stage: string
  readonly onConnection?: (socket: Socket) => void
  readonly react?: (socket: Socket) => void
}> = [
  { stage: "accepts and closes before reading", onConnection: (socket) => socket.end() },
  {
    stage: "accepts and resets without reading",
    onConnection: (socket) => void setTimeout(() => socket.resetAndDestroy(), 50)
  },
  { stage: "reads the request and closes", react: (socket) => socket.end() },
  { stage: "reads the request and resets", react: (socket) => socket.resetAndDestroy() },
  {
    stage: "resets in the middle of the request",
    onConnection: (socket) => socket.once("data", () => socket.resetAndDestroy())
  },
  { stage: "never answers", react: nothing },
  { stage: "answers something that is not HTTP", react: (socket) => socket.end("hello\r\n\r\n") },
  {
    stage: "answers half of the headers",
    react: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-type: appl")
  },
  {
    stage: "answers half of the headers and resets",
    react: (socket) =>
      void socket.write("HTTP/1.1 200 OK\r\ncontent-type: appl", () => setTimeout(() => socket.resetAndDestroy(), 20))
  },
  {
    stage: "answers the headers and resets",
    react: (socket) =>
      void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", () =>
        setTimeout(() => socket.resetAndDestroy(), 20)
      )
  },
  {
    stage: "answers half of the body and resets",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", approvalText).slice(0, -20), () =>
        setTimeout(() => socket.resetAndDestroy(), 20)
      )
  },
  {
    stage: "asks to go on before it answers, which we never asked it to",
    react: (socket) => void socket.write(`HTTP/1.1 100 Continue\r\n\r\n${Provider.http("200 OK", approvalText)}`)
  },
  { stage: "wants to speak another protocol", react: (socket) => void socket.write(switching) },
  {
    stage: "answers half of the body and closes",
    react: (socket) => socket.end(Provider.http("200 OK", approvalText).slice(0, -20))
  },
  {
    stage: "answers half of the body and hangs",
    react: (socket) => void socket.write(Provider.http("200 OK", approvalText).slice(0, -20))
  },
  {
    stage: "answers half of a chunked body and closes",
    react: (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${(400).toString(16)}\r\n{"aid":"A1"`)
  },
  {
    stage: "answers truncated JSON in a complete message",
    react: (socket) => void socket.write(Provider.http("200 OK", approvalText.slice(0, -20)))
  },
  { stage: "answers an empty 200", react: (socket) => void socket.write(Provider.http("200 OK", "")) },
  { stage: "answers JSON that is no approval", react: (socket) => void socket.write(Provider.http("200 OK", "[1]")) },
  {
    stage: "answers an approval without an amount",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", JSON.stringify(Provider.approval({ amount: null, sid: Provider.sid }))))
  },
  {
    stage: "answers somebody else's approval",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", JSON.stringify(Provider.approval({ partner_order_id: "1" }))))
  },
  {
    stage: "answers an approval with an error in it",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", JSON.stringify(Provider.approval({ error_code: -751 }))))
  },
  {
    stage: "answers an approval with a failing status",
    react: (socket) => void socket.write(Provider.http("500 Oops", approvalText))
  },
  {
    stage: "answers an HTML 502",
    react: (socket) => void socket.write(Provider.http("502 Bad Gateway", "<html>bad gateway</html>"))
  },
  {
    stage: "answers an HTML 400",
    react: (socket) => void socket.write(Provider.http("400 Bad Request", "<html>bad request</html>"))
  },
  {
    stage: "answers another system's JSON error",
    react: (socket) => void socket.write(Provider.http("400 Bad Request", '{"error":"bad","status":400}'))
  },
  {
    stage: "redirects",
    react: (socket) =>
      void socket.write(Provider.http("307 Temporary Redirect", "", ["location: http://127.0.0.1:9/elsewhere"]))
  },
  {
    stage: "answers more than anyone needs",
    react: (socket) => void socket.write(Provider.http("200 OK", `{"padding":"${"x".repeat(200_000)}"}`))
  },
  {
    stage: "answers one byte at a time without end",
    react: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
      const timer = setInterval(() => socket.write(" "), 50)
      socket.on("close", () => clearInterval(timer))
    }
  }
]
