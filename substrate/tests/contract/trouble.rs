//! Engines that are away, old, slow, or talk nonsense.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use substrate::{Docker, Error, Substrate, Swarm, Template};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use wire::{Labels, PoolName};

/// What an engine answers to the first line of a request; nothing, ever, if that is none.
type Answers = Box<dyn Fn(&str) -> Option<(u16, String)> + Send + Sync>;

/// Something that listens where an engine should be.
struct Engine {
    host: String,
    answers: Arc<Mutex<Answers>>,
    _folder: TempDir,
    _tasks: JoinSet<()>,
}

impl Engine {
    fn start(answers: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(answers)));
        let (mut tasks, shared) = (JoinSet::new(), answers.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, shared.clone()));
            }
        });
        Self { host: format!("unix://{}", path.display()), answers, _folder: folder, _tasks: tasks }
    }

    fn now(&self, answers: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    fn docker(&self) -> Docker {
        Docker::new(&self.host, "test".parse().unwrap()).unwrap()
    }
}

async fn serve(mut connection: UnixStream, answers: Arc<Mutex<Answers>>) {
    let mut request = Vec::new();
    let length = loop {
        if connection.read_buf(&mut request).await.unwrap_or_default() == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some(head) = text.find("\r\n\r\n") else { continue };
        let body =
            text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        if request.len() >= head + 4 + body.unwrap_or(0) {
            break head;
        }
    };
    let head = String::from_utf8_lossy(&request[..length]).into_owned();
    let answer = answers.lock().unwrap()(head.lines().next().unwrap());
    let Some((status, body)) = answer else {
        // Says nothing until the other side has had enough.
        let _end = connection.read_buf(&mut request).await;
        return;
    };
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n");
    let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // It may have had enough by now.
    let _gone = connection.write_all(text.as_bytes()).await;
}

fn ok(body: &str) -> Option<(u16, String)> {
    Some((200, body.to_owned()))
}

/// An engine that has nothing.
fn empty(request: &str) -> Option<(u16, String)> {
    if request.contains("/version") { ok(r#"{"ApiVersion": "1.41"}"#) } else { ok("[]") }
}

fn template() -> Template {
    Template {
        pool: PoolName::parse("default").unwrap(),
        labels: Labels::default(),
        image: Some("funcatron".to_owned()),
        cpus: 1.0,
        memory_max: 1 << 30,
        pids_max: 64,
        environment: vec![("FUNCATRON_TOKEN".to_owned(), "hunter22".to_owned())],
        network: None,
        drain_timeout: std::time::Duration::from_secs(1),
    }
}

async fn trouble(substrate: &dyn Substrate) -> Error {
    substrate.instances(&[]).await.unwrap_err()
}

#[tokio::test]
async fn an_engine_that_is_away_is_named() {
    let folder = TempDir::new().unwrap();
    let host = format!("unix://{}", folder.path().join("none").display());
    let error = trouble(&Docker::new(&host, "test".parse().unwrap()).unwrap()).await;
    assert_eq!(error.to_string(), format!("docker at {host} does not answer"));
    assert!(error.source().is_some());
    let error = trouble(&Docker::new("http://127.0.0.1:1", "test".parse().unwrap()).unwrap()).await;
    assert_eq!(error.to_string(), "docker at http://127.0.0.1:1 does not answer");
}

#[test]
fn what_is_no_engine_is_refused() {
    for host in ["", "/var/run/docker.sock", "https://engine:2376", "ssh://engine"] {
        let refused = Docker::new(host, "test".parse().unwrap()).unwrap_err();
        assert!(refused.to_string().contains("no Docker Engine"), "{host}");
    }
}

#[tokio::test]
async fn an_old_engine_is_told_from_others() {
    let engine = Engine::start(|_request| ok(r#"{"ApiVersion": "1.39"}"#));
    let error = trouble(&engine.docker()).await;
    assert_eq!(error.to_string(), format!("docker at {} speaks API 1.39, 1.41 is needed", engine.host));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_says_nothing_is_waited_for_for_so_long() {
    let engine = Engine::start(|_request| None);
    let error = trouble(&engine.docker()).await;
    assert_eq!(error.to_string(), format!("docker at {} took more than 10s to say its version", engine.host));
}

#[tokio::test]
async fn an_engine_that_talks_nonsense_is_not_believed() {
    for body in ["<html>", "{}", "[1]", "[{\"Id\": 3}]", "\0"] {
        let engine = Engine::start(
            move |request| if request.contains("/version") { empty(request) } else { ok(body) },
        );
        let error = trouble(&engine.docker()).await;
        assert!(matches!(error, Error::Unreadable { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn containers_that_say_nothing_of_themselves_do_no_harm() {
    let list = r#"[{}, {"Id": "a"}, {"Id": "b", "State": "running"}, {"Id": "c", "State": "running", "Labels": {"funcatron.number": "x"}}]"#;
    let engine =
        Engine::start(move |request| if request.contains("/version") { empty(request) } else { ok(list) });
    let docker = engine.docker();
    assert_eq!(docker.instances(&[template()]).await.unwrap().len(), 2);
    docker.scale(&template(), 0, &BTreeSet::new()).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_forgets_what_it_made_is_asked_for_it_once_by_each_call() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let engine = Engine::start(move |request| match request {
        create if create.contains("/containers/create") => {
            count.fetch_add(1, Ordering::Relaxed);
            Some((201, r#"{"Id": "0badcafe", "Warnings": []}"#.to_owned()))
        }
        start if start.contains("/start") => Some((204, String::new())),
        other => empty(other),
    });
    let docker = engine.docker();
    docker.scale(&template(), 3, &BTreeSet::new()).await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 3);
    docker.scale(&template(), 3, &BTreeSet::new()).await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn an_engine_that_repeats_secrets_is_not_quoted() {
    let engine = Engine::start(|request| match request {
        create if create.contains("/create") => {
            Some((500, r#"{"message": "bad variable FUNCATRON_TOKEN=hunter22"}"#.to_owned()))
        }
        other => empty(other),
    });
    let error = engine.docker().scale(&template(), 1, &BTreeSet::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "docker at {} does not create a container: bad variable FUNCATRON_TOKEN=*** (500)",
            engine.host
        )
    );
}

#[tokio::test]
async fn what_failed_for_a_while_goes_on_when_the_engine_is_back() {
    let engine = Engine::start(|_request| Some((500, r#"{"message": "out of order"}"#.to_owned())));
    let docker = engine.docker();
    assert!(matches!(trouble(&docker).await, Error::Refused { status: 500, .. }));
    engine.now(empty);
    assert_eq!(docker.instances(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn an_engine_that_was_replaced_by_an_old_one_is_noticed() {
    let engine = Engine::start(empty);
    let docker = engine.docker();
    assert_eq!(docker.instances(&[]).await.unwrap(), []);
    engine.now(|request| match request {
        version if version.contains("/version") => ok(r#"{"ApiVersion": "1.40"}"#),
        _ => Some((400, r#"{"message": "client is newer than server"}"#.to_owned())),
    });
    assert!(matches!(trouble(&docker).await, Error::Refused { status: 400, .. }));
    assert!(matches!(trouble(&docker).await, Error::OldApi { .. }));
}

#[tokio::test]
async fn an_engine_without_a_swarm_says_so() {
    let engine = Engine::start(|request| match request {
        version if version.contains("/version") => empty(version),
        _ => Some((503, r#"{"message": "This node is not a swarm manager."}"#.to_owned())),
    });
    let error = trouble(&Swarm::new(&engine.host, "test".parse().unwrap()).unwrap()).await;
    assert_eq!(error.to_string(), format!("docker at {} manages no swarm", engine.host));
}

#[tokio::test]
async fn a_folder_in_somebody_elses_hands_is_waited_for_for_so_long() {
    let folder = TempDir::new().unwrap();
    let program = substrate::Program {
        path: PathBuf::from("/nowhere"),
        arguments: Vec::new(),
        environment: Vec::new(),
    };
    let processes = substrate::Processes::open(folder.path(), program).unwrap();
    let lock = std::fs::File::create(Path::new(folder.path()).join("lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(trouble(&processes).await, Error::Busy(_)));
    drop(lock);
    assert_eq!(processes.instances(&[]).await.unwrap(), []);
}
