//! TLS, with a certificate made for the occasion.

use std::env;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::node::Node;
use super::{consume_eventually, message, next, queue, text};
use crate::broker::{Broker, BrokerUrl, RabbitMq};

/// Tells the test, which runs itself again for each machine that it tries, where the broker is.
const ADDRESS: &str = "FUNCATRON_TEST_TLS_BROKER";

/// What a machine trusts is in its environment, and a process has only one.
#[test]
fn the_certificate_of_the_broker_has_to_be_one_that_the_machine_trusts() {
    if let Ok(address) = env::var(ADDRESS) {
        return runtime().block_on(exchange(&BrokerUrl::parse(&address).unwrap()));
    }
    let (ours, theirs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    make_certificate(ours.path());
    make_certificate(theirs.path());
    let node = Node::start_in(ours);
    assert!(node.address().starts_with("amqps://"));
    let by_name = node.address().replace("@127.0.0.1:", "@localhost:");
    assert_eq!(outcome(node.folder(), &node.address()), Ok(()));
    for (what, outcome) in [
        ("somebody else's certificate", outcome(theirs.path(), &node.address())),
        ("a name that is not in the certificate", outcome(node.folder(), &by_name)),
    ] {
        let told = outcome.expect_err(what);
        assert!(told.contains("InvalidCertificate"), "{what}: {told}");
    }
}

/// Publishes and consumes, once it is certain that a connection can be made at all.
async fn exchange(url: &BrokerUrl) {
    lapin::Connection::connect_uri(url.uri(), Default::default()).await.unwrap();
    let broker = RabbitMq::connect(url, "test").await.unwrap();
    let mut consumer = consume_eventually(&broker, &queue("q")).await;
    broker.publish("q", message("a")).await.unwrap();
    assert_eq!(text(&next(&mut consumer).await), "a");
}

/// How the test ends on a machine that trusts the certificate in this folder.
fn outcome(trusted: &Path, address: &str) -> Result<(), String> {
    let name = std::thread::current().name().unwrap().to_owned();
    let mut again = Command::new(env::current_exe().unwrap());
    again.args([&name, "--exact", "--nocapture"]).env(ADDRESS, address);
    again.env("SSL_CERT_FILE", trusted.join("cert.pem")).env_remove("SSL_CERT_DIR");
    let output = again.output().unwrap();
    let told = || String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or_else(told)
}

fn make_certificate(folder: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-days", "1", "-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.arg("-keyout").arg(folder.join("key.pem")).arg("-out").arg(folder.join("cert.pem"));
    assert!(openssl.output().expect("openssl is installed").status.success());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
