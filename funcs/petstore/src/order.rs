//! `Order`, and the operations of the store.

use std::collections::BTreeMap;

use funcatron_guest::{Json, Problem, Request, Response, Result};
use serde::{Deserialize, Serialize};

use crate::credentials::{self, Scheme};
use crate::pet;
use crate::store::{self, Store};

/// An order, as the document describes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pet_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Placed,
    Approved,
    Delivered,
}

/// How many pets there are of each status.
pub(crate) fn inventory(request: &Request) -> Result<Json<BTreeMap<pet::Status, u32>>> {
    credentials::check(request, &[Scheme::ApiKey])?;
    let mut counts = BTreeMap::new();
    for status in Store::open(request)?.pets.iter().filter_map(|pet| pet.status) {
        *counts.entry(status).or_default() += 1;
    }
    Ok(Json(counts))
}

pub(crate) fn place(request: &Request) -> Result<Json<Order>> {
    let mut order: Order = request.json()?;
    let store = Store::open(request)?;
    order.id = store::id_of_new(order.id, store.orders.iter().map(|order| order.id));
    Ok(Json(order))
}

pub(crate) fn get(request: &Request) -> Result<Json<Order>> {
    find(request, request.path("orderId")?).map(Json)
}

pub(crate) fn delete(request: &Request) -> Result<Response> {
    let id: i64 = request.path("orderId")?;
    store::delete(find(request, id).is_ok(), &format!("order {id}"))?;
    Ok(Response::new(200))
}

fn find(request: &Request, id: i64) -> Result<Order> {
    let mut orders = Store::open(request)?.orders.into_iter();
    let found = orders.find(|order| order.id == Some(id));
    found.ok_or_else(|| Problem::not_found(format!("no order {id}")))
}

impl Order {
    pub(crate) fn seed() -> Vec<Self> {
        let order = |id| Self {
            id: Some(id),
            pet_id: Some(id),
            quantity: Some(1 + id as i32 % 3),
            ship_date: Some("2026-01-02T03:04:05Z".into()),
            status: Some([Status::Placed, Status::Approved, Status::Delivered][id as usize % 3]),
            complete: Some(id % 3 == 2),
        };
        (1..=10).map(order).collect()
    }
}
