//! `Link` is the keyword that applies another schema of the table, counting the work as it goes.
//!
//! References are links and not `$ref` so that a schema reached from many operations is compiled once, and so that
//! nested alternatives cannot multiply without end: the visits of one check are counted and bounded.

use std::{
    cell::{Cell, RefCell},
    sync::Weak,
};

use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

use super::table::{self, Table};

/// The keyword that holds the index of another schema; documents cannot write it, lowering drops it.
pub(crate) const LINK: &str = "x-funcatron-link";

/// Links followed for a small value: a few milliseconds of work.
const VISITS_MIN: usize = 100_000;
/// Each byte of a value may cost this many more; a value of ten bytes that passes five links is usual.
const VISITS_PER_BYTE: usize = 4;
/// Links inside links; JSON stops at 128 levels and the stack of a thread ends soon after.
const DEPTH_MAX: usize = 160;

/// How many links one check may follow.
#[derive(Clone, Copy)]
pub(crate) struct Visits(usize);

impl Visits {
    pub(crate) fn for_bytes(bytes: usize) -> Visits {
        Visits(VISITS_MIN.saturating_add(bytes.saturating_mul(VISITS_PER_BYTE)))
    }
}

/// The check under way on this thread. Keywords get no context of their own, so it waits here.
#[derive(Default)]
struct Work {
    left: Cell<usize>,
    exhausted: Cell<bool>,
    /// The schema and the value of each link being followed.
    active: RefCell<Vec<(usize, *const Value)>>,
}

thread_local! {
    static WORK: Work = Work::default();
}

/// Runs a check with so many visits; tells whether they sufficed.
pub(crate) fn scope<T>(visits: Visits, check: impl FnOnce() -> T) -> (T, bool) {
    WORK.with(|work| {
        work.left.set(visits.0);
        work.exhausted.set(false);
        work.active.borrow_mut().clear();
    });
    let result = check();
    (result, WORK.with(|work| !work.exhausted.get()))
}

/// Follows a link unless the work is used up or the link is already being followed for this very value.
fn visit<T>(index: usize, circular: bool, value: &Value, otherwise: T, follow: impl FnOnce() -> T) -> T {
    let key = (index, std::ptr::from_ref(value));
    let enters = WORK.with(|work| {
        let mut active = work.active.borrow_mut();
        if circular && active.contains(&key) {
            return false;
        }
        if work.left.get() == 0 || active.len() >= DEPTH_MAX {
            work.exhausted.set(true);
            return false;
        }
        work.left.set(work.left.get() - 1);
        active.push(key);
        true
    });
    if !enters {
        return otherwise;
    }
    let result = follow();
    WORK.with(|work| work.active.borrow_mut().pop());
    result
}

/// Another schema of the table, applied to the same value.
pub(crate) struct Link {
    /// Weak, because the table owns the validators that own the links.
    table: Weak<Table>,
    index: usize,
}

impl Link {
    pub(crate) fn new(table: Weak<Table>, index: usize) -> Link {
        Link { table, index }
    }

    pub(crate) fn accepts(&self, value: &Value) -> bool {
        let Some(table) = self.table.upgrade() else { return true };
        let Some(target) = table.get(self.index) else { return true };
        visit(self.index, target.circular, value, true, || target.validator.is_valid(value))
    }

    pub(crate) fn mistakes(&self, value: &Value) -> Vec<table::Mistake> {
        let Some(table) = self.table.upgrade() else { return Vec::new() };
        let Some(target) = table.get(self.index) else { return Vec::new() };
        visit(self.index, target.circular, value, Vec::new(), || table::mistakes(&target.validator, value))
    }
}

impl<'i> Keyword<'i> for Link {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.mistakes(value).first() {
            Some(mistake) => Err(table::pack(mistake)),
            None => Ok(()),
        }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.accepts(value)
    }

    fn iter_errors(&self, value: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        Box::new(self.mistakes(value).into_iter().map(|mistake| table::pack(&mistake)))
    }
}
