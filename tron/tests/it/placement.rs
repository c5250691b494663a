//! Funcs that ask for certain runners: what is said while there are none, and what becomes of their calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use wire::admin::{DeployRequest, RouteInfo};
use wire::broker::{Consumer, Embedded, Heard, Message, Queue, REQUESTS, Subscription, Topic};
use wire::egress::AllowList;
use wire::{
    ActivationId, Answer, Assignment, Body, Broker, Control, Heartbeat, Invoke, Labels, MemberId, PoolName,
    PoolReport, Role, RunnerReport, Store, decode_line, encode_line,
};

use crate::harness::{Stage, assignment, document, in_time, invoke, request};

const REPLIES: &str = "reply.test";
const WHY: &str = "no runner has gpu=true and no pool can start one";

/// A document at `/a` that asks for a runner with a GPU.
fn asking() -> String {
    document("A", 1).replacen('{', r#"{"x-funcatron-placement":{"gpu":"true"},"#, 1)
}

/// A member that says the same again and again.
struct Member {
    said: Arc<Mutex<Heartbeat>>,
    task: JoinHandle<()>,
}

impl Member {
    fn of(stage: &Stage, heartbeat: Heartbeat) -> Self {
        let (said, broker) = (Arc::new(Mutex::new(heartbeat)), Arc::clone(&stage.broker));
        let saying = Arc::clone(&said);
        let task = tokio::spawn(async move {
            let mut beats = tokio::time::interval(Duration::from_millis(20));
            loop {
                beats.tick().await;
                let line = encode_line(&*saying.lock().unwrap()).unwrap();
                broker.broadcast(Topic::Heartbeats, line).await.unwrap();
            }
        });
        Self { said, task }
    }

    /// A runner that has loaded whatever there is.
    fn runner(stage: &Stage, labels: &str) -> Self {
        Self::bounded(stage, labels, None)
    }

    /// The same, of so many Funcs.
    fn bounded(stage: &Stage, labels: &str, funcs_max: Option<usize>) -> Self {
        let report = RunnerReport { labels: labels.parse().unwrap(), funcs_max, ..RunnerReport::default() };
        let member = MemberId::generate(Role::Runner);
        Self::of(stage, Heartbeat { runner: Some(report), ..Heartbeat::now(member, Role::Runner, u64::MAX) })
    }

    /// A Tron that scales one pool.
    fn scaling(stage: &Stage, labels: &str) -> Self {
        let pool = PoolReport {
            name: PoolName::parse("gpus").unwrap(),
            labels: labels.parse().unwrap(),
            substrate: "process".into(),
            runners_min: 0,
            runners_max: 1,
            wanted: 0,
            running: Some(0),
            ready: 0,
            why: "nothing to do".into(),
            alarm: None,
            cost_per_hour: 0.0,
        };
        let member = MemberId::generate(Role::Tron);
        Self::of(stage, Heartbeat { pools: vec![pool], ..Heartbeat::now(member, Role::Tron, u64::MAX) })
    }

    fn leave(&self) {
        self.said.lock().unwrap().leaving = true;
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes calls and takes their answers.
struct Caller {
    broker: Arc<Embedded>,
    replies: Consumer,
}

impl Caller {
    async fn of(stage: &Stage) -> Self {
        let broker = Arc::clone(&stage.broker);
        let replies = Queue {
            name: REPLIES.into(),
            len_max: 10,
            bytes_max: 1 << 20,
            dead_letter: None,
            private: true,
            single_active: false,
        };
        broker.declare(&replies).await.unwrap();
        let replies = broker.consume(REPLIES, 10).await.unwrap();
        Self { broker, replies }
    }

    async fn call(&self) -> ActivationId {
        let activation = ActivationId::generate();
        let call = Invoke { reply_to: Some(REPLIES.into()), asynchronous: false, ..invoke(activation) };
        self.broker.publish(REQUESTS, Message::new(encode_line(&call).unwrap())).await.unwrap();
        activation
    }

    /// Calls until a call is answered, which Tron alone does here; those before wait in their Func's queue.
    async fn refused(&mut self) -> serde_json::Value {
        in_time(async {
            loop {
                self.call().await;
                let soon = tokio::time::timeout(Duration::from_millis(100), self.replies.next());
                let Ok(Some(delivery)) = soon.await else { continue };
                let answer: Answer = decode_line(&delivery.message.payload).unwrap();
                delivery.ack();
                let Body::Inline(body) = &answer.body else { panic!("a problem is short") };
                return serde_json::from_slice(body).unwrap();
            }
        })
        .await
    }

    /// Calls until a call gets into the Func's queue.
    async fn passed_on(&mut self, queue: &str) {
        let before = self.broker.depth(queue).await.unwrap().ready;
        in_time(async {
            while self.broker.depth(queue).await.unwrap().ready <= before {
                self.call().await;
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Deploys the Func that asks for a GPU; its queue, and what the operator was told.
async fn deploy(stage: &Stage) -> (String, Option<String>) {
    let sha = stage.upload(&asking()).await;
    let deployed = stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert_eq!(deployed.failure, None);
    (format!("func.{}.{}", deployed.route, sha.short()), deployed.alarm)
}

async fn until_alarm(stage: &Stage, alarm: Option<&str>) {
    in_time(async {
        while stage.handle.routes().await.unwrap()[0].alarm.as_deref() != alarm {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn calls_get_a_clear_503_while_no_runner_has_what_their_func_asks_for() {
    let stage = Stage::start().await;
    let mut caller = Caller::of(&stage).await;
    let _other = Member::runner(&stage, "zone=a");
    let (queue, _) = deploy(&stage).await;
    until_alarm(&stage, Some(WHY)).await;
    assert_eq!(stage.handle.stats().await.unwrap().alarms, [format!("/a: {WHY}")]);
    let (_, alarm) = deploy(&stage).await;
    assert_eq!(alarm.as_deref(), Some(WHY));
    let problem = caller.refused().await;
    assert_eq!(problem["status"], 503);
    assert_eq!(
        (&problem["type"], &problem["detail"]),
        (&json!("urn:funcatron:problem:no-runner"), &json!(WHY))
    );

    let gpu = Member::runner(&stage, "gpu=true,zone=b");
    caller.passed_on(&queue).await;
    until_alarm(&stage, None).await;
    assert!(deploy(&stage).await.1.is_none());
    drop(gpu);
    assert_eq!(caller.refused().await["detail"], WHY, "it fell silent");

    let gpu = Member::runner(&stage, "gpu=true");
    caller.passed_on(&queue).await;
    gpu.leave();
    assert_eq!(caller.refused().await["detail"], WHY, "it is leaving");
}

#[tokio::test]
async fn calls_wait_for_a_pool_that_can_start_a_runner() {
    let stage = Stage::start().await;
    let mut caller = Caller::of(&stage).await;
    let (queue, _) = deploy(&stage).await;
    until_alarm(&stage, Some(WHY)).await;
    let scaling = Member::scaling(&stage, "gpu=true");
    until_alarm(&stage, None).await;
    caller.passed_on(&queue).await;
    scaling.leave();
    caller.passed_on(&queue).await;
    assert_eq!(stage.handle.routes().await.unwrap()[0].alarm, None, "another one takes the pool over");
    drop(scaling);
    assert_eq!(caller.refused().await["detail"], WHY);
}

#[tokio::test]
async fn a_call_that_was_promised_waits_for_a_runner_that_it_can_run_on() {
    let stage = Stage::start().await;
    let (queue, _) = deploy(&stage).await;
    until_alarm(&stage, Some(WHY)).await;
    let line = encode_line(&invoke(ActivationId::generate())).unwrap();
    stage.broker.publish(REQUESTS, Message::new(line).persistent()).await.unwrap();
    in_time(async {
        while stage.broker.depth(&queue).await.unwrap().ready == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn frontends_are_told_at_once_whose_calls_nobody_can_run() {
    let stage = Stage::start().await;
    let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
    let (queue, _) = deploy(&stage).await;
    let mut told = async |wanted: usize| {
        in_time(async {
            loop {
                let Some(Heard::Payload(payload)) = control.next().await else { continue };
                let Ok(Control::Routes { unserved, version, .. }) = decode_line(&payload) else { continue };
                if unserved.len() == wanted {
                    return (version, unserved);
                }
            }
        })
        .await
    };
    assert_eq!(told(1).await, (1, [(queue, WHY.to_owned())].into()));
    let _gpu = Member::runner(&stage, "gpu=true");
    assert_eq!(told(0).await.0, 1, "no new deployment is needed for that");
}

#[tokio::test]
async fn what_a_func_asks_for_is_kept_with_it_and_assigned() {
    let stage = Stage::start().await;
    let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
    deploy(&stage).await;
    let gpu: Labels = "gpu=true".parse().unwrap();
    assert_eq!(stage.handle.bundles().await.unwrap()[0].placement, gpu);
    assert_eq!(stage.handle.routes().await.unwrap()[0].bundles[0].placement, gpu);
    in_time(async {
        loop {
            let heard = control.next().await.unwrap();
            let Some(assigned) = assignment(heard) else { continue };
            let Some(func) = assigned.funcs.first() else { continue };
            return assert_eq!((&func.placement, &func.on), (&gpu, &None));
        }
    })
    .await;
}

#[tokio::test]
async fn labels_that_no_runner_could_have_are_refused_with_their_place() {
    let stage = Stage::start().await;
    let text = document("A", 1).replacen('{', r#"{"x-funcatron-placement":{"a/b":"x","z":"1"},"#, 1);
    let reply = stage.ask("POST", "/bundles", crate::harness::zip(&text)).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "/x-funcatron-placement/a~1b");
}

/// The next assignment whose Funcs have these numbers of holders.
async fn shared_out(control: &mut Subscription, copies: &[usize]) -> Assignment {
    in_time(async {
        loop {
            let Some(assignment) = assignment(control.next().await.unwrap()) else { continue };
            let mut held: Vec<_> =
                assignment.funcs.iter().map(|func| func.on.as_ref().map_or(usize::MAX, Vec::len)).collect();
            held.sort_unstable();
            if held == copies {
                return assignment;
            }
        }
    })
    .await
}

#[tokio::test]
async fn funcs_that_not_everybody_can_hold_are_shared_out_and_stay_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let (store, broker) = (Store::directory(dir.path()).unwrap(), Arc::new(Embedded::new()));
    let stage = Stage::over(Arc::clone(&broker), store.clone(), AllowList::default()).await;
    let other = Stage::over(Arc::clone(&broker), store, AllowList::default()).await;
    let mut control = broker.subscribe(Topic::Control).await.unwrap();
    let sha = stage.upload(&document("A", 1)).await;
    let runners = [(); 3].map(|()| Member::bounded(&stage, "", Some(1)));
    for path in ["/a", "/b", "/c"] {
        let request = DeployRequest { base_path: Some(path.into()), ..request(&sha) };
        stage.handle.deploy(&request, "admin").await.unwrap();
    }
    let first = shared_out(&mut control, &[1, 1, 1]).await;
    for _ in 0..20 {
        let heard = in_time(control.next()).await.unwrap();
        assert!(assignment(heard).is_none_or(|again| again == first), "it moved, and nobody came or went");
    }
    let [gone, stays @ ..] = runners;
    let gone_id = gone.said.lock().unwrap().member.clone();
    gone.leave();
    let second = shared_out(&mut control, &[0, 1, 1]).await;
    assert!(second.funcs.iter().flat_map(|func| func.on.iter().flatten()).all(|on| *on != gone_id));
    for stage in [&stage, &other] {
        in_time(async {
            let full =
                |route: &RouteInfo| route.alarm.as_ref().is_some_and(|why| why.contains("full (funcs-max)"));
            while stage.handle.routes().await.unwrap().iter().filter(|route| full(route)).count() != 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    drop(stays);
}
