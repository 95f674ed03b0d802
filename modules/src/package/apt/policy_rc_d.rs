//! `/usr/sbin/policy-rc.d`: says to packages' scripts whether they may start services. Put there for one transaction, what was there
//! comes back.

use std::path::{Path, PathBuf};

use crate::host::{Door, Write};
use crate::{Host, Result};

const PATH: &str = "/usr/sbin/policy-rc.d";

/// The file is in place until [`remove`](PolicyRcD::remove).
pub struct PolicyRcD {
    saved: Option<PathBuf>,
}

impl PolicyRcD {
    /// Puts a policy there that answers `code`, when not checking.
    pub fn put(host: &mut Host, code: Option<i64>) -> Result<Option<Self>> {
        let Some(code) = code else { return Ok(None) };
        host.unrecorded(|door| put(door, code))
    }

    /// Takes it away, and puts back what was there.
    pub fn remove(self, host: &mut Host) -> Result<()> {
        host.unrecorded(|door| match &self.saved {
            Some(saved) => door.rename(saved, Path::new(PATH)),
            None => door.remove_file(Path::new(PATH)),
        })?;
        Ok(())
    }
}

fn put(door: &Door<'_>, code: i64) -> Result<PolicyRcD> {
    let path = Path::new(PATH);
    let saved = if path.exists() {
        let saved = PathBuf::from(format!("{PATH}.driftless-saved"));
        door.rename(path, &saved)?;
        Some(saved)
    } else {
        None
    };
    door.write(path, format!("#!/bin/sh\nexit {code}\n").as_bytes(), Write { mode: Some(0o755), ..Write::default() })?;
    Ok(PolicyRcD { saved })
}
