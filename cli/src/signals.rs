//! `Signals`: how a person or a supervisor says stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a process that was interrupted.
pub(crate) const INTERRUPTED: i32 = 130;

/// Ctrl-C and SIGTERM.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes them over from their defaults.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits until somebody says stop. Cancel-safe.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits until a person has waited long enough for that. A supervisor may say stop as often as it likes, so that
    /// it need not know whether it has said so before. Cancel-safe.
    pub(crate) async fn at_once(&mut self) {
        self.interrupt.recv().await;
    }
}
