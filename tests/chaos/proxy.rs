//! `Proxy`: stands between a member and the broker, and is the network when that is bad.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Dropping it ends its connections and takes no more.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    accepting: JoinHandle<()>,
}

/// What happens to the bytes of every connection, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// Each piece arrives this much later, and up to as much again.
    Delayed(Duration),
    /// Each byte is a packet of its own.
    Sliced,
    /// Nothing moves, and nobody is told.
    Frozen,
    /// Every connection ends with a reset, wherever in a frame it is, and so does every new one.
    Cut,
}

/// As much as is moved at once.
const PIECE_BYTES_MAX: usize = 16 * 1024;

impl Proxy {
    /// Listens on a free port, and connects to `target` for each connection that it takes.
    pub(crate) async fn start(target: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, changes) = watch::channel(Weather::Fair);
        let accepting = tokio::spawn(accept(listener, target, changes, fastrand::Rng::with_seed(seed)));
        Ok(Self { address, weather, accepting })
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    weather: watch::Receiver<Weather>,
    mut random: fastrand::Rng,
) {
    while let Ok((near, _)) = listener.accept().await {
        let link = Link { weather: weather.clone(), random: random.fork() };
        // It ends with either side, or with the proxy, whose weather is then gone.
        tokio::spawn(link.join(near, target));
    }
}

/// One connection.
struct Link {
    weather: watch::Receiver<Weather>,
    random: fastrand::Rng,
}

impl Link {
    async fn join(mut self, mut near: TcpStream, target: SocketAddr) -> io::Result<()> {
        let far = TcpStream::connect(target).await;
        let Ok(mut far) = far else { return near.set_zero_linger() };
        for end in [&near, &far] {
            end.set_nodelay(true)?;
            // However it ends, it ends with a reset: nothing in here says goodbye for somebody else.
            end.set_zero_linger()?;
        }
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let mut there = Pump { weather: self.weather.clone(), random: self.random.fork() };
        let mut back = Pump { weather: self.weather.clone(), random: self.random.fork() };
        tokio::select! {
            _ = there.run(near_read, far_write) => {}
            _ = back.run(far_read, near_write) => {}
            _ = self.weather.wait_for(|weather| *weather == Weather::Cut) => {}
        }
        Ok(())
    }
}

/// One direction of a connection.
struct Pump {
    weather: watch::Receiver<Weather>,
    random: fastrand::Rng,
}

impl Pump {
    async fn run(&mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut piece = vec![0; PIECE_BYTES_MAX];
        loop {
            let length = from.read(&mut piece).await?;
            if length == 0 {
                return Ok(());
            }
            self.pass(&piece[..length], &mut to).await?;
        }
    }

    async fn pass(&mut self, piece: &[u8], to: &mut WriteHalf<'_>) -> io::Result<()> {
        let thawed = self.weather.wait_for(|weather| *weather != Weather::Frozen).await;
        let weather = *thawed.map_err(io::Error::other)?;
        match weather {
            Weather::Delayed(by) => {
                sleep_until(Instant::now() + by.mul_f64(1.0 + self.random.f64())).await;
                to.write_all(piece).await
            }
            Weather::Sliced => {
                for byte in piece {
                    to.write_all(std::slice::from_ref(byte)).await?;
                    // Lets the byte leave before the next one comes.
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Weather::Fair | Weather::Frozen | Weather::Cut => to.write_all(piece).await,
        }
    }
}
