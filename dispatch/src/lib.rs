//! Decides which queue a call belongs in. Pure: the dispatcher and frontends that dispatch by themselves
//! decide alike.

mod call;
mod table;

pub use call::Call;
pub use table::{BadRoutes, Miss, Table};
