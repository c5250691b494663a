//! `User`, and the operations on users.

use funcatron_guest::{Json, Problem, Request, Response, Result};
use serde::{Deserialize, Serialize};

use crate::store::{self, ApiResponse, Store};

/// A user, as the document describes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_status: Option<i32>,
}

pub(crate) fn create(request: &Request) -> Result<Json<ApiResponse>> {
    let user: User = request.json()?;
    let name = user.username.unwrap_or_default();
    Ok(Json(ApiResponse::new("user", format!("user {name:?} is welcome"))))
}

pub(crate) fn create_all(request: &Request) -> Result<Json<ApiResponse>> {
    let users: Vec<User> = request.json()?;
    Ok(Json(ApiResponse::new("user", format!("{} users are welcome", users.len()))))
}

pub(crate) fn log_in(request: &Request) -> Result<Response> {
    let name: Option<String> = request.query("username")?;
    let password: Option<String> = request.query("password")?;
    let is_right =
        |user: &User| user.username.is_some() && user.username == name && user.password == password;
    if !Store::open(request)?.users.iter().any(is_right) {
        return Err(Problem::unauthorized("wrong user name or password"));
    }
    let response = Response::json(&format!("logged in user session: {}", name.unwrap_or_default()))?;
    let response = response.header("x-rate-limit", "5000");
    Ok(response.header("x-expires-after", "2030-01-01T00:00:00Z"))
}

pub(crate) fn log_out(_: &Request) -> Response {
    Response::new(200)
}

pub(crate) fn get(request: &Request) -> Result<Json<User>> {
    find(request).map(Json)
}

pub(crate) fn update(request: &Request) -> Result<Json<User>> {
    find(request)?;
    request.json().map(Json)
}

pub(crate) fn delete(request: &Request) -> Result<Response> {
    store::delete(find(request).is_ok(), "the user")?;
    Ok(Response::new(200))
}

fn find(request: &Request) -> Result<User> {
    let name: String = request.path("username")?;
    let mut users = Store::open(request)?.users.into_iter();
    let found = users.find(|user| user.username.as_ref() == Some(&name));
    found.ok_or_else(|| Problem::not_found(format!("no user {name:?}")))
}

impl User {
    pub(crate) fn seed() -> Vec<Self> {
        let user = |id, name: &str| Self {
            id: Some(id),
            username: Some(name.into()),
            first_name: Some(format!("first name {id}")),
            last_name: Some(format!("last name {id}")),
            email: Some(format!("{name}@example.com")),
            password: Some("12345".into()),
            phone: Some("123-456-7890".into()),
            user_status: Some(1),
        };
        vec![user(1, "user1"), user(2, "user2"), user(10, "theUser")]
    }
}
