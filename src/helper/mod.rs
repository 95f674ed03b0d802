//! The helpers on a managed host, as the controller meets them: put there when they are not, started, asked, ended.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use driftless::helper::{Request, Session, SessionOptions, Store};
//! # use driftless::transport::{Become, Local};
//! # fn main() -> anyhow::Result<()> {
//! let store = Arc::new(Store::open()?);
//! let mut session = Session::new(Box::new(Local::new(None)?), store, SessionOptions::default());
//! let reply = session.run_one(Some(&Become::sudo("root")), Request::new("ping", serde_json::Map::new()))?;
//! assert_eq!(reply.outcome["ping"], "pong");
//! session.close();
//! # Ok(()) }
//! ```
//!
//! | file | is |
//! |---|---|
//! | [`Session`] | one connection with its helpers: the login's, and those of the users it becomes |
//! | [`Request`], [`Reply`], [`RunError`] | what is asked, what comes back, why nothing came back |
//! | [`Store`] | which binary is for which platform |
//! | `link` | frames over a connection, and over the helper that relays to others |
//! | `start` | deploys and starts helpers |
//! | `window` | many requests on their way at once, replies in order |
//! | `spool`, `sending` | contents that come and go |
//!
//! A session starts nothing before its first request. `local` is no special case: the control machine gets a helper like any host.

mod link;
mod request;
mod sending;
mod session;
mod spool;
mod start;
mod store;
#[cfg(test)]
mod tests;
mod window;

pub use driftless_wire::{BecomeFailure, BecomeFailureKind, HelperEnd};
pub use request::{AsyncJob, Content, Reply, Request, Returned, RunError};
pub use session::{Canceller, CloseHelpers, Session, SessionOptions};
pub use store::{Store, StoreError, VARIABLE};
