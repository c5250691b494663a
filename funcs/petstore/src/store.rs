//! What the store has: the seed, or what the deployment brings in its props.

use funcatron_guest::{Problem, Request, Result};
use serde::{Deserialize, Serialize};

use crate::order::Order;
use crate::pet::Pet;
use crate::user::User;

/// The pets, orders and users of the store.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Store {
    pub(crate) pets: Vec<Pet>,
    pub(crate) orders: Vec<Order>,
    pub(crate) users: Vec<User>,
}

impl Default for Store {
    fn default() -> Self {
        Self { pets: Pet::seed(), orders: Order::seed(), users: User::seed() }
    }
}

impl Store {
    pub(crate) fn open(request: &Request) -> Result<Self> {
        request.props()
    }
}

/// What many operations answer that have nothing else to give.
#[derive(Serialize)]
pub(crate) struct ApiResponse {
    code: u16,
    r#type: &'static str,
    message: String,
}

impl ApiResponse {
    pub(crate) fn new(r#type: &'static str, message: String) -> Self {
        Self { code: 200, r#type, message }
    }
}

/// The id of something new. The store cannot keep it, so it gets the id that it was sent with if the
/// store has that, else the one of the store's last, so that whoever follows it finds something.
pub(crate) fn id_of_new(sent: Option<i64>, known: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    let mut last = None;
    for id in known {
        if id == sent && id.is_some() {
            return sent;
        }
        last = id.or(last);
    }
    last.or(sent)
}

/// Deleting leaves a thing absent; one that is in the store stays there, which is not to be hidden.
pub(crate) fn delete(is_known: bool, what: &str) -> Result<()> {
    match is_known {
        true => Err(Problem::forbidden(format!("{what} is part of the seed, which no request changes"))),
        false => Ok(()),
    }
}
