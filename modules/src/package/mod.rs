//! Packages: what the engines share. One folder per package manager; the module of each reads its own options.

pub mod apt;
pub mod dnf;

use crate::host::{Change, Command, Diff, Output};
use crate::{Host, Result};

/// One package that a transaction installs, changes or removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What it was.
    pub before: &'static str,
    /// What it will be.
    pub after: &'static str,
}

/// Runs a transaction, or when checking its simulation. A transaction is let finish, whatever becomes of the request.
pub fn transact(host: &mut Host, command: Command, simulate: &str) -> Result<Output> {
    if host.is_checking() {
        return host.query(&command.arg(simulate));
    }
    let command = command.let_finish();
    let output = host.unrecorded(|door| door.run(&command))?;
    Ok(output.expect("effects happen when not checking"))
}

/// Records what a transaction did, or what its simulation says that it would do: only its output knows the packages.
pub fn record(host: &mut Host, steps: &[Step], mut diff: Option<Diff>) -> Result<()> {
    for step in steps {
        let mut change = Change::of("package", &step.name).from_to(step.before, step.after);
        if let Some(diff) = diff.take() {
            change = change.shown(diff);
        }
        host.change(change, |_| Ok(()))?;
    }
    Ok(())
}
