//! `Reader` walks a document, follows its references and collects every mistake on the way.

use serde_json::Value;

use crate::{
    Fault, Location,
    node::{self, Node},
    schema::Schemas,
};

/// Mistakes beyond these help nobody, and a hostile document could hold millions.
const FAULTS_MAX: usize = 100;
/// Parameters that refer to parameters that refer to parameters; real documents need two hops.
const HOPS_MAX: usize = 16;

/// The dialect of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V2,
    V30,
    V31,
}

/// The state of one reading.
pub(crate) struct Reader<'v> {
    pub(crate) root: &'v Value,
    pub(crate) version: Version,
    pub(crate) schemas: Schemas<'v>,
    faults: Vec<Fault>,
}

impl<'v> Reader<'v> {
    pub(crate) fn new(root: &'v Value, version: Version) -> Reader<'v> {
        Reader { root, version, schemas: Schemas::new(root), faults: Vec::new() }
    }

    pub(crate) fn fault(&mut self, pointer: impl Into<String>, reason: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(Location::Document, pointer, reason));
        }
    }

    /// Enough mistakes are known; going on would only cost time.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Follows `$ref` until something else stands there; reports what cannot be followed.
    pub(crate) fn follow(&mut self, start: Node<'v>) -> Option<Node<'v>> {
        let mut node = start;
        for _ in 0..HOPS_MAX {
            let Some(reference) = node.reference() else { return Some(node) };
            node = match node::resolve(self.root, reference) {
                Ok(target) => target,
                Err(reason) => {
                    self.fault(node::join(&node.pointer, "$ref"), reason);
                    return None;
                }
            };
        }
        self.fault(node.pointer, "the reference leads back to itself");
        None
    }
}
