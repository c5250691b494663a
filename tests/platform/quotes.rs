//! `Quotes`: a platform with a Func that draws on all there is outside, whose calls are captured.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use harness::PATIENCE;
use serde_json::{Value, json};
use wire::capture::{CaptureEntry, CaptureHeader};
use wire::{decode_line, encode_line};

use crate::harness::Platform;

/// Calls that are captured.
pub(crate) const CALLS: usize = 1_000;
/// The one that the old Func throws at.
const THROWS: usize = 404;
/// Clients that send them.
const CLIENTS: usize = 4;

const DOCUMENT: &str = r#"
openapi: 3.1.0
info: { title: Quotes, version: "1" }
servers: [{ url: /quotes }]
components:
  securitySchemes: { bearer: { type: http, scheme: bearer } }
paths:
  /{n}:
    get:
      operationId: getQuote
      security: [{ bearer: [] }]
      parameters: [{ name: n, in: path, required: true, schema: { type: integer } }]
      responses:
        "200":
          description: A quote.
          content:
            application/json:
              schema:
                type: object
                properties:
                  id: { type: string, format: uuid }
                  at: { type: string, format: date-time }
                  dice: { type: number, x-funcatron-volatile: true }
                  n: { type: integer }
                  price: { type: integer }
"#;

/// Draws of all that there is outside.
const OLD: &str = r#"
export async function getQuote({ params, props }) {
  if (params.n === 404) throw new Error("no such quote");
  const at = new Date().toISOString();
  const id = crypto.randomUUID();
  const answer = await fetch(`${props.url}/price?of=${params.n}`);
  console.log(`quoting ${params.n}`);
  return { id, at, dice: Math.random(), n: params.n, price: Number(await answer.text()) };
}
"#;

/// Draws in another order, and asks three in a hundred for more.
const NEW: &str = r#"
export async function getQuote({ params, props }) {
  const dice = Math.random();
  const [id, at] = [crypto.randomUUID(), new Date(Date.now() + 1000).toISOString()];
  const answer = await fetch(`${props.url}/price?of=${params.n}`);
  const price = Number(await answer.text()) + (params.n % 100 < 3 ? 1 : 0);
  return { id, at, dice, n: params.n, price };
}
"#;

/// Tells prices, which are never the same, for as long as it is there.
pub(crate) struct Prices {
    pub(crate) address: SocketAddr,
    is_over: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Prices {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let serving = std::thread::spawn(move || {
            for price in 1.. {
                let (stream, _) = listener.accept().unwrap();
                if told.load(Ordering::SeqCst) {
                    return;
                }
                // A client that leaves early is no reason to end.
                let _sent = tell(stream, price);
            }
        });
        Self { address, is_over, serving: Some(serving) }
    }

    pub(crate) fn stop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).unwrap();
        self.serving.take().unwrap().join().unwrap();
    }
}

fn tell(mut stream: TcpStream, price: u64) -> std::io::Result<()> {
    read_head(&mut stream)?;
    let text = price.to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    stream.write_all((head + &text).as_bytes())
}

pub(crate) fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut head, mut piece) = (String::new(), [0; 1024]);
    while !head.contains("\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => break,
            len => head.push_str(&String::from_utf8_lossy(&piece[..len])),
        }
    }
    Ok(head)
}

/// A platform with quotes, and the folders of their Funcs beside it.
pub(crate) struct Quotes {
    pub(crate) platform: Platform,
    pub(crate) prices: Prices,
}

impl Quotes {
    pub(crate) fn start() -> Self {
        let (platform, prices) = (Platform::serving(&[]), Prices::start());
        for (name, source) in [("old", OLD), ("new", NEW)] {
            let folder = platform.folder().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("funcatron.yaml"), DOCUMENT).unwrap();
            fs::write(folder.join("index.js"), source).unwrap();
        }
        let quotes = Self { platform, prices };
        let outbound = quotes.prices.address.to_string();
        succeeds(&quotes.command(&["deploy", "old", "-p", &quotes.url(), "--outbound", &outbound]));
        quotes
    }

    pub(crate) fn url(&self) -> String {
        format!("url=http://{}", self.prices.address)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        self.platform.command(arguments)
    }

    /// Runs a command where there is neither a network nor a server.
    pub(crate) fn alone(&self, arguments: &[&str]) -> Output {
        let url = self.url();
        let mut command = netless();
        command.arg(env!("CARGO_BIN_EXE_funcatron")).args(arguments).args(["-p", &url]);
        command.current_dir(self.platform.folder()).output().unwrap()
    }

    pub(crate) fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let reply = self.platform.admin(method, &format!("/api/v1{path}"), &body);
        assert!((200..300).contains(&reply.status), "{method} {path}: {reply:?}");
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn quote(&self, n: usize) {
        let path = format!("/quotes/{n}");
        let headers = [("authorization", "Bearer of-great-secrecy"), ("accept-encoding", "gzip")];
        let reply = self.platform.send("GET", &path, &headers, b"");
        assert_eq!(reply.status, if n == THROWS { 500 } else { 200 }, "{reply:?}");
    }

    /// Captures so many calls into a file.
    pub(crate) fn capture(&self, calls: usize) -> PathBuf {
        let routes = self.admin("GET", "/routes", &Value::Null);
        let started = self.admin("POST", "/captures", &json!({"route": routes[0]["id"]}));
        let path =
            format!("/captures/{}", started["id"].as_str().or(started["capture"]["id"].as_str()).unwrap());
        let kept = || self.admin("GET", &path, &Value::Null)["entries"].as_u64().unwrap();
        until("runners capture", || {
            self.quote(CALLS);
            kept() > 0
        });
        let next = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while let Ok(n) = usize::try_from(next.fetch_add(1, Ordering::SeqCst))
                        && n < calls
                    {
                        self.quote(n);
                    }
                });
            }
        });
        let file = self.platform.folder().join("captured.jsonl");
        until("everything is kept", || {
            let reply = self.platform.admin("GET", &format!("/api/v1{path}/export"), b"");
            fs::write(&file, without_probes(std::str::from_utf8(&reply.body).unwrap())).unwrap();
            entries(&file).len() == calls
        });
        self.admin("POST", &format!("{path}/stop"), &Value::Null);
        file
    }
}

/// A file of captured calls without those that only found out whether calls are captured.
fn without_probes(text: &str) -> String {
    let probe = format!("/quotes/{CALLS}");
    let (header, lines) = text.split_once('\n').unwrap();
    let is_meant = |line: &&str| decode_line::<CaptureEntry>(line.as_bytes()).unwrap().invoke.path != probe;
    written(header, lines.lines().filter(is_meant).map(str::to_owned).collect())
}

/// A file with this header, but for how many calls it tells of, and these lines.
fn written(header: &str, lines: Vec<String>) -> String {
    let mut header: Value = serde_json::from_str(header).unwrap();
    header["entries"] = lines.len().into();
    lines.into_iter().fold(format!("{header}\n"), |text, line| text + line.trim_end() + "\n")
}

/// Changes the calls in a file.
pub(crate) fn edit(file: &Path, change: impl FnOnce(&mut Vec<CaptureEntry>)) {
    let text = fs::read_to_string(file).unwrap();
    let mut changed = entries(file);
    change(&mut changed);
    let line = |entry: &CaptureEntry| String::from_utf8(encode_line(entry).unwrap().to_vec()).unwrap();
    fs::write(file, written(text.lines().next().unwrap(), changed.iter().map(line).collect())).unwrap();
}

pub(crate) fn entries(file: &Path) -> Vec<CaptureEntry> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let _header: CaptureHeader = decode_line(lines.next().unwrap().as_bytes()).unwrap();
    lines.map(|line| decode_line(line.as_bytes()).unwrap()).collect()
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not in time");
    }
}

/// Runs a program in a network namespace that has nothing in it. Whoever may not make one has not tested this.
fn netless() -> Command {
    for flags in [&["--net"][..], &["--map-root-user", "--net"]] {
        let works = Command::new("unshare").args(flags).arg("true").status();
        if works.is_ok_and(|status| status.success()) {
            let mut command = Command::new("unshare");
            command.args(flags);
            return command;
        }
    }
    panic!("no network namespace can be made here, so nothing is known about what runs without a network");
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) -> String {
    exits(output, 0)
}

#[track_caller]
pub(crate) fn exits(output: &Output, code: i32) -> String {
    let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{told}\n{error}");
    told.into_owned()
}
