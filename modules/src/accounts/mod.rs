//! Users and groups are made by the host's own programs. [`Tools`] says which commands do what; `shadow` and `busybox` are its engines.

mod busybox;
mod shadow;
mod shadow_file;
pub mod ssh_key;

pub use shadow_file::Shadow;

use crate::host::identity::{self, Group, User};
use crate::host::{Command, Door, Output};
use crate::{Failure, Host, Result};

/// A new user, or what of an old one is to be another: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserChange {
    /// Its number, and whether another may have it too.
    pub uid: Option<u32>,
    /// Whether the number may be another's.
    pub non_unique: bool,
    /// Its main group, by name or number.
    pub group: Option<String>,
    /// The groups it is to be in beside its main one.
    pub groups: Option<Vec<String>>,
    /// Of these, the ones it is not in yet.
    pub joined: Vec<String>,
    /// The groups it is to leave.
    pub left: Vec<String>,
    /// The comment field.
    pub comment: Option<String>,
    /// Home folder.
    pub home: Option<String>,
    /// Whether the old home's content goes to the new one.
    pub move_home: bool,
    /// Login shell.
    pub shell: Option<String>,
    /// The day it expires, `YYYY-MM-DD`; empty: never.
    pub expires: Option<String>,
    /// The hash of the password, as it is to stand in shadow.
    pub password: Option<String>,
    /// Whether the password is to be locked (`true`) or unlocked.
    pub lock: Option<bool>,
}

/// How a new user is made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewUser {
    /// Whether it is a system's user.
    pub system: bool,
    /// Whether a home is made.
    pub create_home: bool,
    /// Where the home's content comes from.
    pub skeleton: Option<String>,
    /// Settings of login.defs for this user.
    pub settings: Vec<(&'static str, String)>,
}

/// The programs that make users and groups.
pub trait Tools {
    /// Makes a user.
    fn add_user(&self, host: &Host, name: &str, new: &NewUser, change: &UserChange) -> Result<Vec<Command>>;
    /// Changes a user.
    fn change_user(&self, host: &mut Host, name: &str, change: &UserChange) -> Result<Vec<Command>>;
    /// Removes a user.
    fn delete_user(&self, host: &Host, name: &str, force: bool, remove: bool) -> Result<Vec<Command>>;
    /// Makes a group.
    fn add_group(&self, host: &Host, name: &str, group: &GroupWish) -> Result<Vec<Command>>;
    /// Gives a group another number.
    fn change_group(&self, host: &Host, name: &str, gid: u32, non_unique: bool) -> Result<Vec<Command>>;
    /// Removes a group.
    fn delete_group(&self, host: &Host, name: &str, force: bool) -> Result<Vec<Command>>;
}

/// What is wished of a new group.
#[derive(Clone, Debug, Default)]
pub struct GroupWish {
    /// Its number.
    pub gid: Option<u32>,
    /// Whether the number may be another's.
    pub non_unique: bool,
    /// Whether it is a system's group.
    pub system: bool,
    /// Settings of login.defs for this group.
    pub settings: Vec<(&'static str, String)>,
}

/// The engine for this host: shadow's programs wherever they are.
pub fn tools_for_users(host: &Host) -> Box<dyn Tools> {
    tools(host, "useradd", "adduser")
}

/// The engine for this host's groups.
pub fn tools_for_groups(host: &Host) -> Box<dyn Tools> {
    tools(host, "groupadd", "addgroup")
}

fn tools(host: &Host, shadow: &str, busybox: &str) -> Box<dyn Tools> {
    if host.find_program(shadow).is_none() && host.find_program(busybox).is_some() {
        Box::new(busybox::Busybox)
    } else {
        Box::new(shadow::ShadowTools)
    }
}

/// Runs commands in their order up to the first that fails; what they wrote comes back as one.
pub fn run_all(door: &Door, commands: &[Command]) -> Result<Said> {
    let mut said = Said::default();
    for command in commands {
        let output = door.run(command)?;
        said.add(&output);
        if !output.succeeded() {
            break;
        }
    }
    Ok(said)
}

/// What programs wrote, and the last one's exit code.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The last exit code.
    pub rc: i32,
    /// All they wrote to stdout.
    pub stdout: String,
    /// All they wrote to stderr.
    pub stderr: String,
}

impl Said {
    fn add(&mut self, output: &Output) {
        self.rc = output.rc();
        self.stdout.push_str(&output.stdout());
        self.stderr.push_str(&output.stderr());
    }
}

/// A group by its name or number, or Ansible's failure.
pub fn group_named(text: &str) -> Result<Group> {
    let by_number = || text.parse().ok().and_then(identity::group_by_id);
    identity::group_by_name(text).or_else(by_number).ok_or_else(|| Failure::new(format!("Group {text} does not exist")))
}

/// The groups that a user is in beside its main one, in the file's order.
pub fn memberships(user: &User) -> Vec<String> {
    let is_member = |group: &Group| group.gid != user.gid && group.members.contains(&user.name);
    identity::local_groups().into_iter().filter(is_member).map(|group| group.name).collect()
}

/// Gives passwords by stdin: no argument list ever shows one.
fn set_password(host: &Host, name: &str, hash: &str) -> Result<Command> {
    if hash.contains('\n') {
        return Err(Failure::new("a password's hash has no line breaks"));
    }
    Ok(host.command(host.need_program("chpasswd")?).arg("-e").stdin(format!("{name}:{hash}\n")))
}

trait Extend {
    /// Adds an option with its value where there is one.
    fn option(self, name: &str, value: Option<&str>) -> Self;
    /// Adds a word where a condition holds.
    fn flag(self, name: &str, holds: bool) -> Self;
}

impl Extend for Command {
    fn option(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.arg(name).arg(value),
            None => self,
        }
    }

    fn flag(self, name: &str, holds: bool) -> Self {
        if holds { self.arg(name) } else { self }
    }
}
