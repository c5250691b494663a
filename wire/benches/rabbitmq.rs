//! What RabbitMQ costs a call: from a frontend through a Tron to a runner and back, each on a thread and on
//! connections of its own, with nothing to run. It needs a node:
//!
//! `eval "$(scripts/rabbitmq.sh start DIR)"; cargo bench -p wire --bench rabbitmq -- [SECONDS [IN_FLIGHT...]]`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may fail, and prints"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::runtime::Builder;
use tokio::sync::{Barrier, oneshot};
use tokio_util::sync::CancellationToken;
use wire::Broker;
use wire::broker::{BrokerUrl, Consumer, Message, Queue, REQUESTS, RabbitMq};

const FUNC: &str = "func.bench.00000000";
const REPLIES: &str = "reply.bench";
/// As large as a small request is on its queue.
const LINE_BYTES: usize = 512;
const PREFETCH: u16 = 512;
const WARM_UP: Duration = Duration::from_secs(1);

/// Messages and the lines in them that one role was given.
#[derive(Default)]
struct Given {
    messages: AtomicU64,
    lines: AtomicU64,
}

impl Given {
    fn count(&self, lines: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.lines.fetch_add(lines as u64, Ordering::Relaxed);
    }

    fn lines_per_message(&self) -> f64 {
        self.lines.swap(0, Ordering::Relaxed) as f64 / self.messages.swap(0, Ordering::Relaxed).max(1) as f64
    }
}

fn main() {
    let Ok(url) = env::var("FUNCATRON_TEST_BROKER") else {
        return println!("FUNCATRON_TEST_BROKER names no broker: nothing is measured");
    };
    let url = BrokerUrl::parse(&url).unwrap();
    let mut numbers = env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let duration = Duration::from_secs(numbers.next().unwrap_or(5));
    let in_flight: Vec<u64> = numbers.collect();
    let in_flight = if in_flight.is_empty() { vec![1, 32, 128] } else { in_flight };

    let given: [Arc<Given>; 3] = Default::default();
    let (stop, ready) = (CancellationToken::new(), Arc::new(Barrier::new(3)));
    let roles = [("tron", REQUESTS, FUNC), ("runner", FUNC, REPLIES)].into_iter().zip(&given);
    let threads: Vec<_> = roles
        .map(|((name, from, to), given)| {
            let (url, given, stop) = (url.clone(), given.clone(), stop.clone());
            let ready = ready.clone();
            role(name, async move {
                let broker = Arc::new(RabbitMq::connect(&url, name).await.unwrap());
                broker.declare(&queue(from)).await.unwrap();
                let consumer = broker.consume(from, PREFETCH).await.unwrap();
                ready.wait().await;
                stop.run_until_cancelled(pass_on(&broker, consumer, to, &given)).await;
                broker.delete(from).await.unwrap();
                broker.close().await;
            })
        })
        .collect();
    let answered = given[2].clone();
    let frontend = role("frontend", async move {
        let calls = Calls::open(RabbitMq::connect(&url, "frontend").await.unwrap(), answered).await;
        ready.wait().await;
        println!(
            "in flight    calls/s  p50 us  p99 us  lines per message (tron, runner, frontend)  CPU us a call"
        );
        for in_flight in in_flight {
            calls.measure(in_flight, WARM_UP).await;
            given.iter().for_each(|given| _ = given.lines_per_message());
            let before = cpu();
            let mut waits = calls.measure(in_flight, duration).await;
            waits.sort_unstable();
            let [tron, runner, frontend] = [0, 1, 2].map(|role| given[role].lines_per_message());
            let at = |share: f64| waits[(waits.len() as f64 * share) as usize].as_micros();
            let rate = waits.len() as f64 / duration.as_secs_f64();
            let spent = spent(&before, waits.len());
            println!(
                "{in_flight:9}  {rate:9.0}  {:6}  {:6}  {tron:14.1} {runner:13.1} {frontend:13.1}  {spent}",
                at(0.5),
                at(0.99)
            );
        }
    });
    frontend.join().unwrap();
    stop.cancel();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Passes every line on, as soon as it is there, and settles a message when all of it is taken.
async fn pass_on(broker: &Arc<RabbitMq>, mut consumer: Consumer, to: &'static str, given: &Given) {
    while let Some(delivery) = consumer.next().await {
        let lines: Vec<Bytes> = wire::split_lines(&delivery.message.payload).collect();
        given.count(lines.len());
        let broker = broker.clone();
        tokio::spawn(async move {
            join_all(lines.into_iter().map(|line| broker.publish(to, whole(&line)))).await;
            delivery.ack();
        });
    }
}

/// The calls that wait for their answers.
struct Calls {
    broker: RabbitMq,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>,
    next: AtomicU64,
}

impl Calls {
    async fn open(broker: RabbitMq, given: Arc<Given>) -> Self {
        broker.declare(&Queue { private: true, ..queue(REPLIES) }).await.unwrap();
        let mut answers = broker.consume(REPLIES, PREFETCH).await.unwrap();
        let waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>> = Arc::default();
        let settling = waiting.clone();
        tokio::spawn(async move {
            while let Some(delivery) = answers.next().await {
                let lines: Vec<Bytes> = wire::split_lines(&delivery.message.payload).collect();
                given.count(lines.len());
                for line in lines {
                    let id = std::str::from_utf8(&line).unwrap().split(' ').next().unwrap().parse().unwrap();
                    settling.lock().unwrap().remove(&id).map(|caller| caller.send(()));
                }
                delivery.ack();
            }
        });
        Self { broker, waiting, next: AtomicU64::new(0) }
    }

    /// Keeps so many calls in flight; returns how long each of them took.
    async fn measure(&self, in_flight: u64, duration: Duration) -> Vec<Duration> {
        let end = Instant::now() + duration;
        let callers = (0..in_flight).map(|_| async {
            let mut waits = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                self.call().await;
                waits.push(begun.elapsed());
            }
            waits
        });
        join_all(callers).await.concat()
    }

    async fn call(&self) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answered, answer) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, answered);
        let line = format!("{id:<width$}", width = LINE_BYTES - 1);
        self.broker.publish(REQUESTS, whole(line.as_bytes())).await.unwrap();
        answer.await.unwrap();
    }
}

fn whole(line: &[u8]) -> Message {
    Message::new([line, b"\n"].concat().into()).joinable()
}

fn queue(name: &str) -> Queue {
    Queue {
        name: name.into(),
        len_max: 100_000,
        bytes_max: 1 << 30,
        dead_letter: None,
        private: false,
        single_active: false,
    }
}

fn role(name: &str, work: impl Future<Output = ()> + Send + 'static) -> thread::JoinHandle<()> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(work)).unwrap()
}

/// The processor time of this process by the names of its threads, in clock ticks.
fn cpu() -> BTreeMap<String, u64> {
    let mut ticks = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        *ticks.entry(name.to_owned()).or_default() +=
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    }
    ticks
}

/// What each name of thread spent a call since then.
fn spent(before: &BTreeMap<String, u64>, calls: usize) -> String {
    let micros = |ticks: u64| ticks as f64 * 10_000.0 / calls as f64;
    let spent = cpu().into_iter().map(|(name, ticks)| (ticks - before.get(&name).unwrap_or(&0), name));
    let spent = spent.filter(|(ticks, _)| *ticks > 0);
    spent.map(|(ticks, name)| format!("{name} {:.1}", micros(ticks))).collect::<Vec<_>>().join(", ")
}
