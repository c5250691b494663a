//! `Marks` reads which schemas are secret; a graph, since schemas refer to each other and to themselves.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use super::Secret;
use crate::{node::Node, reader::Reader};

const MARK: &str = "x-funcatron-secret";
/// Keywords whose schemas are for the same value.
const SAME: [&str; 3] = ["if", "then", "else"];
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose schemas are for all members that have none of their own.
const OTHER_MEMBERS: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
/// Keywords whose schemas are for all items that have none of their own.
const OTHER_ITEMS: [&str; 3] = ["items", "unevaluatedItems", "contains"];

/// The schemas met so far.
pub(crate) struct Marks<'v> {
    /// Whether the document marks anything; if not, nothing is read.
    marked: bool,
    graph: Arc<OnceLock<Graph>>,
    known: HashMap<String, usize>,
    nodes: Vec<Mark>,
    pending: VecDeque<(usize, Node<'v>)>,
}

/// Every schema that a document uses, by what is secret of its values.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Mark>,
    /// Whether a secret can be reached from each.
    leads: Vec<bool>,
}

/// What one schema says.
#[derive(Debug, Default)]
struct Mark {
    secret: bool,
    /// Schemas of the same value.
    same: Vec<usize>,
    members: HashMap<String, usize>,
    /// Of members that only a pattern names: which ones does not matter, one too many does no harm.
    patterned: Vec<usize>,
    other_members: Vec<usize>,
    first_items: Vec<usize>,
    other_items: Vec<usize>,
}

impl Mark {
    fn reached(&self) -> impl Iterator<Item = usize> + '_ {
        let lists = [&self.same, &self.patterned, &self.other_members, &self.first_items, &self.other_items];
        lists.into_iter().flatten().chain(self.members.values()).copied()
    }
}

impl Graph {
    fn new(nodes: Vec<Mark>) -> Graph {
        let mut reached_by: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            node.reached().for_each(|reached| reached_by[reached].push(index));
        }
        let mut leads = vec![false; nodes.len()];
        let mut open: Vec<usize> = (0..nodes.len()).filter(|index| nodes[*index].secret).collect();
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut leads[index], true) {
                open.extend(&reached_by[index]);
            }
        }
        Graph { nodes, leads }
    }

    /// Whether there is any secret in values of this schema.
    pub(super) fn leads(&self, index: usize) -> bool {
        self.leads.get(index) == Some(&true)
    }

    /// All schemas of a value that has these, as far as they lead to secrets.
    pub(super) fn applied(&self, begin: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut applied: Vec<usize> = Vec::new();
        let mut open: Vec<usize> = begin.into_iter().collect();
        while let Some(index) = open.pop() {
            if self.leads(index) && !applied.contains(&index) {
                applied.push(index);
                open.extend(&self.nodes[index].same);
            }
        }
        applied
    }

    /// Whether values of any of these are secret as a whole.
    pub(super) fn is_secret(&self, applied: &[usize]) -> bool {
        applied.iter().any(|index| self.nodes[*index].secret)
    }

    /// The schemas of a member of values with these schemas.
    pub(super) fn member(&self, applied: &[usize], name: &str) -> Vec<usize> {
        self.applied(applied.iter().flat_map(|index| {
            let node = &self.nodes[*index];
            let own = node.members.get(name);
            let others = if own.is_none() { &node.other_members[..] } else { &[] };
            own.into_iter().chain(&node.patterned).chain(others).copied()
        }))
    }

    /// The schemas of an item of values with these schemas.
    pub(super) fn item(&self, applied: &[usize], at: usize) -> Vec<usize> {
        self.applied(applied.iter().flat_map(|index| {
            let node = &self.nodes[*index];
            node.first_items.get(at).map_or(&node.other_items[..], std::slice::from_ref).iter().copied()
        }))
    }

    /// Whether this field of a form is secret, or anything in it.
    pub(super) fn is_secret_member(&self, index: usize, name: &str) -> bool {
        let form = self.applied([index]);
        self.is_secret(&form) || !self.member(&form, name).is_empty()
    }
}

impl<'v> Marks<'v> {
    pub(crate) fn new(root: &'v Value) -> Marks<'v> {
        Marks {
            marked: is_marked(root),
            graph: Arc::default(),
            known: HashMap::new(),
            nodes: Vec::new(),
            pending: VecDeque::new(),
        }
    }

    fn known(&mut self, node: Node<'v>) -> usize {
        if let Some(index) = self.known.get(&node.pointer) {
            return *index;
        }
        let index = self.nodes.len();
        self.nodes.push(Mark::default());
        self.known.insert(node.pointer.clone(), index);
        self.pending.push_back((index, node));
        index
    }

    fn secret(&self, index: usize) -> Secret {
        Secret { graph: Some(Arc::clone(&self.graph)), index }
    }

    fn listed(&mut self, node: &Node<'v>, names: &[&str]) -> Vec<usize> {
        let lists: Vec<Node<'v>> = names.iter().filter_map(|name| node.child(name)).collect();
        lists.iter().flat_map(Node::items).map(|item| self.known(item)).collect()
    }

    fn named(&mut self, node: &Node<'v>, names: &[&str]) -> Vec<usize> {
        names.iter().filter_map(|name| node.child(name)).map(|child| self.known(child)).collect()
    }

    fn members(&mut self, node: &Node<'v>, name: &str) -> Vec<(String, usize)> {
        let members = node.child(name);
        let members = members.iter().flat_map(Node::members);
        members.map(|(name, child)| (name.to_owned(), self.known(child))).collect()
    }

    fn read(&mut self, node: &Node<'v>, target: Option<Node<'v>>) -> Mark {
        let is_tuple = node.child("items").is_some_and(|items| items.value.is_array());
        let mut same = [self.named(node, &SAME), self.listed(node, &SAME_LISTS)].concat();
        same.extend(target.map(|target| self.known(target)));
        same.extend(self.members(node, "dependentSchemas").into_iter().map(|(_, index)| index));
        Mark {
            secret: is_secret(node.value),
            same,
            members: self.members(node, "properties").into_iter().collect(),
            patterned: self.members(node, "patternProperties").into_iter().map(|(_, index)| index).collect(),
            other_members: self.named(node, &OTHER_MEMBERS),
            first_items: self.listed(node, if is_tuple { &["items"] } else { &["prefixItems"] }),
            other_items: self.named(node, if is_tuple { &["additionalItems"] } else { &OTHER_ITEMS }),
        }
    }
}

impl<'v> Reader<'v> {
    /// What is secret of the values of this schema.
    pub(crate) fn secret(&mut self, schema: Option<&Node<'v>>) -> Secret {
        match schema {
            Some(schema) if self.marks.marked => {
                let index = self.marks.known(schema.clone());
                self.marks.secret(index)
            }
            _ => Secret::default(),
        }
    }

    /// The same of a parameter or header, which may be marked itself.
    pub(crate) fn secret_parameter(&mut self, node: &Node<'v>, schema: Option<&Node<'v>>) -> Secret {
        if is_secret(node.value) { self.secret(Some(node)) } else { self.secret(schema) }
    }

    /// Reads what was met, and what that refers to.
    pub(crate) fn finish_secrets(&mut self) {
        while let Some((index, node)) = self.marks.pending.pop_front() {
            if !self.spend() {
                return;
            }
            let target = node.reference().is_some().then(|| self.seen_through(&node));
            let target = target.filter(|target| target.pointer != node.pointer);
            self.marks.nodes[index] = self.marks.read(&node, target);
        }
        // A graph is filled by the one reader that made it; a second filling would change nothing.
        let _ = self.marks.graph.set(Graph::new(std::mem::take(&mut self.marks.nodes)));
    }
}

fn is_secret(schema: &Value) -> bool {
    schema.get(MARK) == Some(&Value::Bool(true))
        || schema.get("format").and_then(Value::as_str) == Some("password")
}

fn is_marked(value: &Value) -> bool {
    match value {
        Value::Object(map) => is_secret(value) || map.values().any(is_marked),
        Value::Array(items) => items.iter().any(is_marked),
        _ => false,
    }
}
