//! Write a Func in Rust: one plain function per operation of your OpenAPI document.
//!
//! ```
//! use funcatron_guest::{Func, Json, Problem, Request, Result, serve};
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Pet {
//!     id: i64,
//!     name: String,
//! }
//!
//! fn get_pet(request: &Request) -> Result<Json<Pet>> {
//!     let id: i64 = request.path("petId")?;
//!     if id != 1 {
//!         return Err(Problem::not_found(format!("no pet {id}")));
//!     }
//!     Ok(Json(Pet { id, name: "Rex".into() }))
//! }
//!
//! fn func() -> Func {
//!     Func::new().on("getPetById", get_pet)
//! }
//!
//! serve!(func);
//! ```
//!
//! The platform has checked the request against the document before the function runs, so a function
//! reads typed values and does its work. A Func is tested natively, without the platform:
//!
//! ```
//! # use funcatron_guest::{Func, Json, Request};
//! # fn func() -> Func { Func::new().on("getPetById", |_: &Request| Json(1)) }
//! let response = func().call(&Request::new("getPetById").with_path("petId", 1));
//! assert_eq!(response.status_code(), 200);
//! ```

mod func;
mod host;
mod problem;
mod request;
mod response;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod wasm;

pub use func::Func;
pub use problem::Problem;
pub use request::Request;
pub use response::{IntoResponse, Json, Response};

/// What a function of a Func returns: something that makes a response, or a [`Problem`].
pub type Result<T = Response, E = Problem> = std::result::Result<T, E>;
