//! Schemas of a document, lowered to JSON Schema 2020-12 and compiled once.

mod compile;
mod discriminator;
mod format;
mod keywords;
mod link;
mod lower;
mod patterns;
mod schemas;
mod shape;
mod table;

pub(crate) use schemas::{Direction, Schemas};
pub(crate) use shape::Shape;
pub(crate) use table::Schema;
