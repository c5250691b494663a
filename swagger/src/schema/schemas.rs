//! `Schemas` collects the schemas that a document uses, each reference target only once.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde_json::Value;

use super::{Schema, compile, table::Table};
use crate::{
    node::{self, Node},
    reader::Reader,
};

/// Which way a value travels; `readOnly` and `writeOnly` depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// One schema on its way from the document to a validator.
pub(crate) struct Entry {
    pub(crate) pointer: String,
    pub(crate) lowered: Value,
    /// The entries applied to the same value: references outside `properties`, `items` and their like.
    pub(crate) in_place: Vec<usize>,
}

/// The schemas met so far.
pub(crate) struct Schemas<'v> {
    table: Arc<Table>,
    /// Whether `readOnly` or `writeOnly` stands anywhere; if not, both directions share entries.
    directed: bool,
    targets: HashMap<(String, Direction), usize>,
    contents: HashMap<String, usize>,
    entries: Vec<Option<Entry>>,
    pending: VecDeque<(usize, Node<'v>, Direction)>,
}

impl<'v> Schemas<'v> {
    pub(crate) fn new(root: &'v Value) -> Schemas<'v> {
        Schemas {
            table: Arc::new(Table::default()),
            directed: mentions_direction(root),
            targets: HashMap::new(),
            contents: HashMap::new(),
            entries: Vec::new(),
            pending: VecDeque::new(),
        }
    }

    /// The entry of a reference target, lowered later when it is new.
    pub(crate) fn target(&mut self, node: Node<'v>, direction: Direction) -> usize {
        let direction = self.effective(direction);
        let key = (node.pointer.clone(), direction);
        if let Some(index) = self.targets.get(&key) {
            return *index;
        }
        let index = self.entries.len();
        self.entries.push(None);
        self.targets.insert(key, index);
        self.pending.push_back((index, node, direction));
        index
    }

    fn effective(&self, direction: Direction) -> Direction {
        if self.directed { direction } else { Direction::Request }
    }

    /// The entry of a schema that stands in place; equal ones share it.
    fn inline(&mut self, entry: Entry) -> usize {
        let text = entry.lowered.to_string();
        let next = self.entries.len();
        let index = *self.contents.entry(text).or_insert(next);
        if index == next {
            self.entries.push(Some(entry));
        }
        index
    }
}

impl<'v> Reader<'v> {
    /// The schema at `node`, usable once the document is complete.
    pub(crate) fn schema(&mut self, node: Node<'v>, direction: Direction) -> Schema {
        let pointer = node.pointer.as_str().into();
        let index = self.entry(node, self.schemas.effective(direction));
        Schema::new(Arc::clone(&self.schemas.table), index, pointer)
    }

    fn entry(&mut self, node: Node<'v>, direction: Direction) -> usize {
        let is_bare = node.value.as_object().is_some_and(|map| map.len() == 1);
        if let Some(Ok(target)) =
            node.reference().filter(|_| is_bare).map(|reference| node::resolve(self.root, reference))
        {
            return self.schemas.target(target, direction);
        }
        let key = (node.pointer.clone(), direction);
        if let Some(index) = self.schemas.targets.get(&key) {
            return *index;
        }
        let entry = self.lower_entry(node, direction);
        let index = self.schemas.inline(entry);
        self.schemas.targets.insert(key, index);
        index
    }

    /// Lowers what references brought in, compiles everything and fills the table.
    pub(crate) fn finish_schemas(&mut self) {
        while let Some((index, node, direction)) = self.schemas.pending.pop_front() {
            let entry = self.lower_entry(node, direction);
            if let Some(slot) = self.schemas.entries.get_mut(index) {
                *slot = Some(entry);
            }
            if self.is_hopeless() {
                return;
            }
        }
        if self.is_hopeless() {
            return;
        }
        let entries: Vec<Entry> = std::mem::take(&mut self.schemas.entries).into_iter().flatten().collect();
        let table = Arc::clone(&self.schemas.table);
        match compile::compile(&table, entries) {
            Ok(compiled) => table.fill(compiled),
            Err(faults) => faults.into_iter().for_each(|(pointer, reason)| self.fault(pointer, reason)),
        }
    }
}

fn mentions_direction(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            matches!(key.as_str(), "readOnly" | "writeOnly") && value == &Value::Bool(true)
                || mentions_direction(value)
        }),
        Value::Array(items) => items.iter().any(mentions_direction),
        _ => false,
    }
}
