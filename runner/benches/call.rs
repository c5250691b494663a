//! What a call costs, from its invoke on the queue to its answer, in a fresh instance each.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run has nothing to say")]

#[expect(dead_code, reason = "the scenarios need more of it")]
#[path = "../tests/scenarios/harness.rs"]
mod harness;

use std::process::ExitCode;

use criterion::{BenchmarkId, Criterion, Throughput};
use harness::{Deployment, Harness, config, invoke, start_with};
use tokio::runtime::Runtime;
use wire::{Invoke, Timestamp};

/// Calls that are in flight together, as under load.
const TOGETHER: u64 = 64;

fn main() -> ExitCode {
    // Compiling is done in a child process, and this is the program at hand.
    if std::env::args().nth(1).as_deref() == Some("compile") {
        return runner::compile::child_main();
    }
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
    ExitCode::SUCCESS
}

fn measure(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("call");
    let calls = [("hello-rust", invoke("GET", "/api/")), ("hello-js", invoke("GET", "/api/ada?lang=de"))];
    for (name, call) in calls {
        let mut config = config();
        config.compiler = std::env::current_exe().unwrap();
        config.slots = usize::try_from(TOGETHER).unwrap();
        let deployment = Deployment::of(&format!("funcs/{name}"));
        let mut harness = runtime.block_on(start_with(config, deployment));
        for together in [1, TOGETHER] {
            group.throughput(Throughput::Elements(together));
            group.bench_function(BenchmarkId::new(name, together), |bencher| {
                bencher.iter(|| runtime.block_on(answered(&mut harness, &call, together)));
            });
        }
        runtime.block_on(harness.stop());
    }
    group.finish();
}

async fn answered(harness: &mut Harness, call: &Invoke, together: u64) {
    let now = Timestamp::now();
    let call = Invoke { at: now, deadline: now.after(std::time::Duration::from_secs(10)), ..call.clone() };
    for _ in 0..together {
        harness.send(std::slice::from_ref(&call)).await;
    }
    for _ in 0..together {
        assert_eq!(harness.answer().await.status, 200);
    }
}
