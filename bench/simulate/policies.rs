//! The policies that are compared.

mod fixed;
mod knative;
mod openfaas;
mod oracle;
mod ours;

pub(crate) use fixed::Fixed;
pub(crate) use knative::Knative;
pub(crate) use openfaas::{Alert, OpenFaas, Rule};
pub(crate) use oracle::Oracle;
pub(crate) use ours::Ours;
