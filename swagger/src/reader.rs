//! `Reader` walks a document, follows its references and collects every mistake on the way.

use serde_json::Value;

use crate::{
    Fault, Location,
    node::{self, Node},
    schema::Schemas,
    secrets::Marks,
};

/// Mistakes beyond these help nobody, and a hostile document could hold millions.
const FAULTS_MAX: usize = 100;
/// Parts looked at in one reading. References let a small document stand for a large one; this is
/// five times what the largest real one takes, and seconds of work.
const WORK_MAX: usize = 2_000_000;
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
    pub(crate) marks: Marks<'v>,
    faults: Vec<Fault>,
    work_left: usize,
}

impl<'v> Reader<'v> {
    pub(crate) fn new(root: &'v Value, version: Version) -> Reader<'v> {
        Reader {
            root,
            version,
            schemas: Schemas::new(root),
            marks: Marks::new(root),
            faults: Vec::new(),
            work_left: WORK_MAX,
        }
    }

    pub(crate) fn fault(&mut self, pointer: impl Into<String>, reason: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(Location::Document, pointer, reason));
        }
    }

    /// Counts one part of the document; false when the reading has cost enough.
    pub(crate) fn spend(&mut self) -> bool {
        self.spend_many(1)
    }

    /// Counts what costs as much as so many parts.
    pub(crate) fn spend_many(&mut self, work: usize) -> bool {
        if self.work_left > 0 && self.work_left <= work {
            self.fault("", "the document takes too much work to read");
        }
        self.work_left = self.work_left.saturating_sub(work);
        self.work_left > 0
    }

    /// Going on would only cost time.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.faults.len() >= FAULTS_MAX || self.work_left == 0
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
