//! A user's SSH key, made by ssh-keygen.

use std::path::{Path, PathBuf};

use crate::host::Change;
use crate::host::identity::User;
use crate::{Failure, Host, Json, Outcome, Result};

/// The key that is wished.
#[derive(Clone, Debug)]
pub struct KeyWish {
    /// Its type.
    pub kind: String,
    /// Its length.
    pub bits: Option<i64>,
    /// Its comment.
    pub comment: String,
    /// Where it is to be; relative paths start in the home.
    pub file: Option<PathBuf>,
    /// Whether a key that is there is replaced.
    pub force: bool,
}

impl KeyWish {
    fn path(&self, home: &str) -> PathBuf {
        let default = || PathBuf::from(format!(".ssh/id_{}", self.kind));
        Path::new(home).join(self.file.clone().unwrap_or_else(default))
    }

    /// Makes the key if it is to be made.
    pub fn make(&self, host: &mut Host, user: &User) -> Result<()> {
        if !Path::new(&user.home).exists() && !host.is_checking() {
            return Err(Failure::new(format!("User {} home directory does not exist", user.name)).with("name", user.name.as_str()));
        }
        let path = self.path(&user.home);
        if path.exists() && !self.force {
            host.warn(format!("Found existing ssh key private file \"{}\", no force, so skipping ssh-keygen generation", path.display()));
            return Ok(());
        }
        let mut command = host.command(host.need_program("ssh-keygen")?).args(["-t", &self.kind]);
        if let Some(bits) = self.bits {
            command = command.arg("-b").arg(bits.to_string());
        }
        command = command.args(["-C", &self.comment, "-N", "", "-f"]).arg(&path);
        let (public, owner) = (public(&path), (Some(user.uid), Some(user.gid)));
        host.change(Change::of("ssh key", path.display().to_string()).from_to("absent", "present"), |door| {
            if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
                door.create_dir_all(folder)?;
                door.set_mode(folder, 0o700)?;
                door.set_owner(folder, owner.0, owner.1)?;
            }
            if path.exists() {
                door.remove_file(&path)?;
            }
            door.run(&command)?.or_fail(|output| output.stderr()).map_err(|failure| failure.with("name", user.name.as_str()))?;
            door.set_owner(&path, owner.0, owner.1)?;
            door.set_owner(&public, owner.0, owner.1)
        })?;
        Ok(())
    }

    /// What the result says of the key.
    pub fn tell(&self, host: &Host, user: &User, outcome: &mut Outcome) -> Result<()> {
        let path = self.path(&user.home);
        let fingerprint = if path.exists() {
            let output = host.query(&host.command("ssh-keygen").arg("-l").arg("-f").arg(&path))?;
            let text = if output.succeeded() { output.stdout() } else { output.stderr() };
            text.trim().to_owned()
        } else {
            String::new()
        };
        let key = std::fs::read_to_string(public(&path)).ok();
        outcome.set("ssh_fingerprint", fingerprint);
        outcome.set("ssh_key_file", path.display().to_string());
        outcome.set("ssh_public_key", key.map_or(Json::Null, |key| key.trim().into()));
        Ok(())
    }
}

fn public(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}
