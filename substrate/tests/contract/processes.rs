//! Processes of this machine.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::slice::from_ref;
use std::sync::Arc;

use serde_json::Value;
use substrate::{Processes, Program};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::contract;
use crate::stand_in::{is_up, pid, signal, stand_in};
use crate::subject::{Subject, failed, failure, settle, until, up};

/// Ends what a test leaves behind.
struct Folder(TempDir);

impl Drop for Folder {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.0.path())
            .unwrap()
            .flat_map(|cluster| fs::read_dir(cluster.unwrap().path()).unwrap())
        {
            let name = entry.unwrap().path();
            let record = fs::read(&name).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            if let Some(instance) = record.as_ref().and_then(|record| record["instance"].as_str()) {
                signal(instance, rustix::process::Signal::KILL);
            }
        }
    }
}

fn program() -> Program {
    Program { path: stand_in(), arguments: Vec::new(), environment: Vec::new() }
}

fn subject() -> Subject {
    let folder = Folder(TempDir::new().unwrap());
    let path = folder.0.path().to_owned();
    Subject {
        open: Box::new(move |cluster| Arc::new(Processes::open(&path.join(cluster), program()).unwrap())),
        image: None,
        cluster: "test".to_owned(),
        _kept: Box::new(folder),
    }
}

contract!(subject());

#[tokio::test]
async fn all_leave_when_their_tron_stops_in_order() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    let before = settle(&*substrate, &template, 2).await;
    substrate.leave_all().await.unwrap();
    assert!(before.iter().all(|name| pid(name).is_none()));
}

#[tokio::test]
async fn no_zombie_is_left() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    let name = settle(&*substrate, &template, 1).await.pop_first().unwrap();
    let stat = format!("/proc/{}", pid(&name).unwrap());
    signal(&name, rustix::process::Signal::KILL);
    // Nobody asks the substrate for anything meanwhile.
    until("it is waited for", || async { (!fs::exists(&stat).unwrap()).then_some(()) }).await;
}

#[tokio::test]
async fn nobody_else_can_look_into_the_folder() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep/state");
    fs::create_dir_all(&path).unwrap();
    Processes::open(&path, program()).unwrap();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_runner_finds_its_template_and_nothing_of_ours() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    let name = settle(&*substrate, &template, 1).await.pop_first().unwrap();
    let environment = fs::read_to_string(format!("/proc/{}/environ", pid(&name).unwrap())).unwrap();
    let mut variables: Vec<&str> = environment.split_terminator('\0').collect();
    variables.sort_unstable();
    let named = format!("FUNCATRON_INSTANCE={name}");
    let broker = "FUNCATRON_BROKER=amqp://me:hunter22@broker";
    assert_eq!(variables, [broker, "FUNCATRON_DRAIN_TIMEOUT=500ms", &named, "FUNCATRON_POOL=default"]);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_shown_as_failed() {
    let folder = TempDir::new().unwrap();
    let program = Program { path: "/nowhere/funcatron".into(), ..program() };
    let substrate = Processes::open(folder.path(), program).unwrap();
    let template = subject().template("default");
    let reason = failure(&substrate, &template).await;
    assert!(reason.starts_with("/nowhere/funcatron cannot be started: No such file"), "{reason}");
}

#[tokio::test]
async fn how_a_child_ended_is_told_though_it_was_found_dead_before_it_was_waited_for() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template_of("default", "crashing"));
    let reason = until("it has failed", || async {
        substrate.scale(&template, 1, &BTreeSet::new()).await.unwrap();
        while records(&subject).iter().any(|(_, record)| runs(record)) {
            std::thread::yield_now();
        }
        // Somebody looks while this thread, which waits for children, does not get on.
        let look = || Runtime::new().unwrap().block_on(substrate.instances(from_ref(&template)));
        std::thread::scope(|scope| scope.spawn(look).join()).unwrap().unwrap();
        failed(substrate.instances(from_ref(&template)).await.unwrap())
    })
    .await;
    assert!(reason.starts_with("exit code 3: "), "{reason}");
}

#[tokio::test]
async fn who_was_being_started_when_tron_died_is_found_or_forgotten() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    let names = settle(&*substrate, &template, 2).await;
    let found = names.first().unwrap();
    // As it is while they are being started: one has come into being by then, and one has not.
    for (path, mut record) in records(&subject) {
        record["identity"] = Value::Null;
        if record["instance"] != found.as_str() {
            signal(record["instance"].as_str().unwrap(), rustix::process::Signal::KILL);
        }
        fs::write(&path, record.to_string()).unwrap();
    }
    until("one is left", || async {
        names.iter().filter(|name| pid(name).is_some()).eq([found]).then_some(())
    })
    .await;
    let later = subject.object();
    assert_eq!(up(&*later, &template).await, [found.clone()].into());
    assert!(settle(&*later, &template, 2).await.contains(found));
    assert!(is_up(found));
}

/// What the folder of a subject's cluster says of its processes.
fn records(subject: &Subject) -> Vec<(PathBuf, Value)> {
    let folder = &subject._kept.downcast_ref::<Folder>().unwrap().0;
    let files = fs::read_dir(folder.path().join("test")).unwrap().map(|file| file.unwrap().path());
    let texts = files.filter_map(|path| Some((fs::read(&path).ok()?, path)));
    texts.filter_map(|(text, path)| Some((path, serde_json::from_slice(&text).ok()?))).collect()
}

/// Whether the process of a record has not ended.
fn runs(record: &Value) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", record["identity"]["pid"]));
    stat.is_ok_and(|stat| !stat.contains(") Z"))
}
