//! `Outlet`: where the body of a response goes that is too long for a message.

use std::fmt;

use bytes::{Bytes, BytesMut};
use wire::store::{self, Upload};
use wire::{Body, Store};

use super::Failure;

/// Tells whether a body may go unread, by the status and the headers that it comes with.
pub(crate) type Admits<'a> = dyn Fn(u16, &[(String, String)]) -> bool + Send + Sync + 'a;

/// Where the body of a response goes that is too long for a message.
#[derive(Clone, Copy)]
pub(crate) struct Outlet<'a> {
    pub(crate) store: &'a Store,
    /// How long a body may become in the store.
    pub(crate) bytes_max: u64,
    /// Which bodies may go there.
    pub(crate) admits: &'a Admits<'a>,
}

impl fmt::Debug for Outlet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("bytes_max", &self.bytes_max).finish_non_exhaustive()
    }
}

/// The body of a response while it comes: in memory, then perhaps on its way into the store.
pub(super) struct Intake<'a> {
    outlet: Option<Outlet<'a>>,
    held_max: usize,
    pieces: Pieces,
    upload: Option<Upload>,
}

impl<'a> Intake<'a> {
    /// Room for a body: up to `held_max` in memory, or beyond that in the store, if there is an outlet.
    pub(super) fn new(held_max: usize, outlet: Option<Outlet<'a>>) -> Self {
        Self { outlet, held_max, pieces: Pieces::default(), upload: None }
    }

    pub(super) async fn push(&mut self, piece: Bytes) -> Result<(), Failure> {
        if self.len() + piece.len() as u64 > self.bytes_max() {
            return Err(self.too_long());
        }
        if let Some(upload) = &mut self.upload {
            return upload.push(&piece).await.map_err(|error| not_kept(&error));
        }
        self.pieces.push(piece);
        match self.outlet {
            Some(outlet) if self.pieces.len() > Body::INLINE_BYTES_MAX => {
                let mut upload = outlet.store.upload();
                upload
                    .push(&std::mem::take(&mut self.pieces).join())
                    .await
                    .map_err(|error| not_kept(&error))?;
                self.upload = Some(upload);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.upload.as_ref().map_or(self.pieces.len() as u64, Upload::len)
    }

    pub(super) async fn finish(self) -> Result<Body, Failure> {
        match self.upload {
            None => Ok(Body::Inline(self.pieces.join())),
            Some(upload) => upload.finish().await.map(Body::Stored).map_err(|error| not_kept(&error)),
        }
    }

    fn bytes_max(&self) -> u64 {
        self.outlet.map_or(self.held_max as u64, |outlet| outlet.bytes_max)
    }

    fn too_long(&self) -> Failure {
        let more = match self.outlet {
            None => "; a longer one needs a documented media type that no schema describes",
            Some(_) => "",
        };
        Failure::Unusable(format!("its body is over {} bytes{more}", self.bytes_max()))
    }
}

fn not_kept(error: &store::Error) -> Failure {
    Failure::NotKept(wire::Chain(error).to_string())
}

/// A body in pieces; most come in one, which is then not copied.
#[derive(Default)]
struct Pieces {
    first: Bytes,
    rest: BytesMut,
}

impl Pieces {
    fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
        } else {
            self.rest.extend_from_slice(&piece);
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn join(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut whole = BytesMut::with_capacity(self.first.len() + self.rest.len());
        whole.extend_from_slice(&self.first);
        whole.extend_from_slice(&self.rest);
        whole.freeze()
    }
}
