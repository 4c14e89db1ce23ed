// Follows one answer over a WebSocket, from wherever it was when the connection was lost.

const UNKNOWN = 4404; // the server has no such answer (any more)
const TRIES = 3; // to open the first connection, before it is given up
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 2000;

class Connection {
  /** `on`: `frame(frame)`, `lost()`, `unknown()`, `impossible()`. */
  constructor(id, on) {
    this.address = new URL(`workbench/answers/${id}`, served());
    this.on = on;
    this.position = 0;
    this.failures = 0;
    this.opened = false;
    this.open();
  }

  open() {
    const address = new URL(this.address);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("position", this.position);
    this.socket = new WebSocket(address);
    this.socket.onmessage = (message) => this.receive(JSON.parse(message.data));
    this.socket.onclose = (event) => this.closed(event.code);
  }

  receive(frame) {
    this.opened = true;
    this.failures = 0;
    this.position = frame.position;
    this.on.frame(frame);
    if (frame.ended) this.close();
  }

  closed(code) {
    this.failures += 1;
    if (code === UNKNOWN) return this.on.unknown();
    if (!this.opened && this.failures >= TRIES) return this.on.impossible();
    if (this.opened) this.on.lost();
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (this.failures - 1), LONGEST_WAIT_MS);
    this.timer = setTimeout(() => this.open(), wait);
  }

  /** Asks the server to stop the answer. Rejects when it cannot be asked. */
  async stop() {
    const response = await fetch(`${this.address}/stop`, { method: "POST" });
    if (!response.ok && response.status !== 404) throw new Error(response.statusText);
  }

  close() {
    clearTimeout(this.timer);
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }
}
