//! `Call`: what of an invoke decides where it goes.

use wire::{ActivationId, BundleSha, Invoke, InvokeHead, Namespace};

/// What of an invoke decides where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    /// Whose routes count.
    pub namespace: &'c Namespace,
    /// The host that was asked for.
    pub host: &'c str,
    /// The path, still percent-encoded.
    pub path: &'c str,
    /// The bundle to run instead of the one that the route would choose.
    pub bundle: Option<&'c BundleSha>,
    /// What a share of the calls is chosen by: the same for every attempt.
    pub activation: ActivationId,
}

impl<'c> From<&'c Invoke> for Call<'c> {
    fn from(invoke: &'c Invoke) -> Self {
        Self {
            namespace: &invoke.namespace,
            host: &invoke.host,
            path: &invoke.path,
            bundle: invoke.bundle.as_ref(),
            activation: invoke.activation,
        }
    }
}

impl<'c> From<&'c InvokeHead<'_>> for Call<'c> {
    fn from(head: &'c InvokeHead<'_>) -> Self {
        Self {
            namespace: &head.namespace,
            host: &head.host,
            path: &head.path,
            bundle: head.bundle.as_ref(),
            activation: head.activation,
        }
    }
}
