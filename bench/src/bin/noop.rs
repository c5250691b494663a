//! Funcatron around a Func of no cost.
//!
//! `noop embedded PORT STATE FOLDER`: frontend, Tron and runner in this process, as `funcatron dev` has them,
//! with the Func in FOLDER deployed. `noop runner URL`: in place of a runner on this RabbitMQ.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bench::NativeRunner;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wire::admin::DeployRequest;
use wire::broker::{BrokerUrl, Embedded, RabbitMq};
use wire::bundle::Code;
use wire::{Broker, Bundle, MemberId, Role, Store};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    bench::block_on(async {
        match arguments[..] {
            ["embedded", port, state, folder] => {
                embedded(port.parse()?, Path::new(state), Path::new(folder)).await
            }
            ["runner", url] => runner(url).await,
            _ => bail!("usage: noop embedded PORT STATE FOLDER | noop runner URL"),
        }
    })
}

async fn embedded(port: u16, state: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(state)?;
    let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
    let config = tron::Config::new(MemberId::generate(Role::Tron), tron::Token::load_or_create(state)?);
    // Nobody runs the code, so nobody needs to look at it.
    let inspect: tron::Inspect = Arc::new(|_| Box::pin(async { Ok(()) }));
    let store = Store::directory(state)?;
    let (tron, handle) = tron::Tron::new(config, broker.clone(), store.clone(), inspect);
    let (front, admin) = (listen(port).await?, listen(0).await?);
    let stop = CancellationToken::new();
    let frontend = frontend::run(frontend::Config::default(), front, broker.clone(), store, stop.clone());
    tokio::select! {
        ended = frontend => ended.context("the frontend ended"),
        ended = tron.run(admin, stop.clone()) => ended.context("Tron ended"),
        ended = NativeRunner::new(broker.clone()).run() => ended.context("the runner ended"),
        deployed = deploy(&handle, folder) => deployed.context("not deployed"),
    }
}

async fn runner(url: &str) -> Result<()> {
    let broker = RabbitMq::connect(&BrokerUrl::parse(url)?, "noop").await?;
    NativeRunner::new(Arc::new(broker)).run().await
}

/// Deploys the Func, then waits for ever.
async fn deploy(handle: &tron::Handle, folder: &Path) -> Result<()> {
    let document = fs::read(folder.join("funcatron.yaml"))?;
    let code = Code::Wasm(fs::read(folder.join("func.wasm"))?.into());
    let sha = handle.upload(Bundle::pack(&document, &code)?).await?.bundle.sha.clone();
    let (host, base_path, props, outbound, weight) = (None, None, None, None, None);
    let request = DeployRequest { sha, host, base_path, props, outbound, weight, trial: None, replace: true };
    handle.deploy(&request, "bench").await?;
    std::future::pending().await
}

async fn listen(port: u16) -> Result<TcpListener> {
    Ok(TcpListener::bind(("127.0.0.1", port)).await?)
}
