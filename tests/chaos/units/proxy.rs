//! The proxy between a client and a server that sends back what it hears.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::chaos::proxy::{Proxy, Weather};

const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough for what would come to have come.
const A_WHILE: Duration = Duration::from_millis(200);

async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    address
}

async fn connected() -> (Proxy, BufReader<TcpStream>) {
    let proxy = Proxy::start(echo().await, 1).await.unwrap();
    let stream = BufReader::new(TcpStream::connect(proxy.address).await.unwrap());
    (proxy, stream)
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> io::Result<String> {
    stream.get_mut().write_all(line.as_bytes()).await?;
    hear(stream).await
}

async fn hear(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut heard = String::new();
    match timeout(PATIENCE, stream.read_line(&mut heard)).await.unwrap()? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(heard),
    }
}

#[tokio::test]
async fn in_fair_weather_everything_passes() {
    let (_proxy, mut stream) = connected().await;
    assert_eq!(say(&mut stream, "hello\n").await.unwrap(), "hello\n");
}

#[tokio::test]
async fn sliced_bytes_arrive_whole_and_in_order() {
    let (proxy, mut stream) = connected().await;
    proxy.set(Weather::Sliced);
    let line = "0123456789".repeat(500) + "\n";
    assert_eq!(say(&mut stream, &line).await.unwrap(), line);
}

#[tokio::test]
async fn a_delay_counts_in_both_directions() {
    let (proxy, mut stream) = connected().await;
    proxy.set(Weather::Delayed(Duration::from_millis(50)));
    let begun = Instant::now();
    say(&mut stream, "hello\n").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn what_is_frozen_comes_through_when_it_thaws() {
    let (proxy, mut stream) = connected().await;
    proxy.set(Weather::Frozen);
    stream.get_mut().write_all(b"hello\n").await.unwrap();
    assert!(timeout(A_WHILE, stream.fill_buf()).await.is_err());
    proxy.set(Weather::Fair);
    assert_eq!(hear(&mut stream).await.unwrap(), "hello\n");
}

#[tokio::test]
async fn a_cut_resets_what_is_connected_and_what_connects() {
    let (proxy, mut stream) = connected().await;
    say(&mut stream, "hello\n").await.unwrap();
    proxy.set(Weather::Cut);
    assert_eq!(hear(&mut stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let mut another = BufReader::new(TcpStream::connect(proxy.address).await.unwrap());
    assert!(say(&mut another, "hello\n").await.is_err());
    proxy.set(Weather::Fair);
    let mut third = BufReader::new(TcpStream::connect(proxy.address).await.unwrap());
    assert_eq!(say(&mut third, "hello\n").await.unwrap(), "hello\n");
}
