//! What runs on the managed host: the modules, what each says of itself, and the one door through which they change anything.
//! The helper binary runs them; the controller reads only their [`Spec`](spec::Spec)s.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::disallowed_methods))]

extern crate self as driftless_modules;

pub mod accounts;
pub mod builtin;
pub mod encoding;
pub mod facts;
pub mod host;
#[cfg(test)]
mod laws;
pub mod module;
pub mod outcome;
pub mod package;
pub mod privilege;
pub mod regex;
pub mod registry;
pub mod serve;
pub mod service;
pub mod spec;

pub use host::Host;
pub use module::Module;
pub use outcome::{Failure, Outcome, Result};

/// A JSON value: what arguments and results are on the wire.
pub type Json = serde_json::Value;
/// A JSON object that keeps the order of its keys.
pub type JsonMap = serde_json::Map<String, Json>;

registry::modules! {
    builtin::apt::Apt,
    builtin::assemble::Assemble,
    builtin::async_status::AsyncStatus,
    builtin::blockinfile::Blockinfile,
    builtin::command::Command,
    builtin::copy::Copy,
    builtin::cron::Cron,
    builtin::dnf::Dnf,
    builtin::fetch::Fetch,
    builtin::file::File,
    builtin::find::Find,
    builtin::get_url::GetUrl,
    builtin::getent::Getent,
    builtin::git::Git,
    builtin::group::Group,
    builtin::hostname::Hostname,
    builtin::lineinfile::Lineinfile,
    builtin::package::Package,
    builtin::ping::Ping,
    builtin::script::Raw,
    builtin::replace::Replace,
    builtin::script::Script,
    builtin::service::Service,
    builtin::setup::Setup,
    builtin::command::Shell,
    builtin::slurp::Slurp,
    builtin::stat::Stat,
    builtin::systemd::Systemd,
    builtin::systemd::SystemdService,
    builtin::tempfile::Tempfile,
    builtin::unarchive::Unarchive,
    builtin::user::User,
    builtin::wait_for::WaitFor,
}
