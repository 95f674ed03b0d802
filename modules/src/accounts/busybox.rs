//! Busybox: adduser, deluser, addgroup, delgroup. It has no usermod and no groupmod.

use super::{Extend, GroupWish, NewUser, Tools, UserChange, group_named, set_password};
use crate::host::Command;
use crate::{Failure, Host, Result};

pub(super) struct Busybox;

impl Tools for Busybox {
    fn add_user(&self, host: &Host, name: &str, new: &NewUser, change: &UserChange) -> Result<Vec<Command>> {
        let program = host.need_program("adduser")?;
        let mut add = host.command(&program).arg("-D").option("-u", change.uid.map(|uid| uid.to_string()).as_deref());
        if let Some(group) = &change.group {
            add = add.arg("-G").arg(group_named(group)?.name);
        }
        add = add.option("-g", change.comment.as_deref()).option("-h", change.home.as_deref()).option("-s", change.shell.as_deref());
        add = if new.create_home { add.option("-k", new.skeleton.as_deref()) } else { add.arg("-H") };
        let mut commands = vec![add.flag("-S", new.system).arg(name).let_finish()];
        commands.extend(change.groups.iter().flatten().map(|group| host.command(&program).args([name, group])));
        if let Some(hash) = &change.password {
            commands.push(set_password(host, name, hash)?);
        }
        Ok(commands)
    }

    fn change_user(&self, host: &mut Host, name: &str, change: &UserChange) -> Result<Vec<Command>> {
        let kept = [
            ("uid", change.uid.is_some()),
            ("group", change.group.is_some()),
            ("comment", change.comment.is_some()),
            ("home", change.home.is_some()),
            ("shell", change.shell.is_some()),
            ("expires", change.expires.is_some()),
            ("password_lock", change.lock.is_some() && change.password.is_none()),
        ];
        for (option, _) in kept.iter().filter(|(_, wanted)| *wanted) {
            host.warn(format!("`{option}` of user `{name}` stays as it is: busybox has no `usermod`"));
        }
        let mut commands = Vec::new();
        for group in &change.joined {
            commands.push(host.command(host.need_program("adduser")?).args([name, group]));
        }
        for group in &change.left {
            commands.push(host.command(host.need_program("delgroup")?).args([name, group]));
        }
        if let Some(hash) = &change.password {
            commands.push(set_password(host, name, hash)?);
        }
        Ok(commands)
    }

    fn delete_user(&self, host: &Host, name: &str, _force: bool, remove: bool) -> Result<Vec<Command>> {
        Ok(vec![host.command(host.need_program("deluser")?).flag("--remove-home", remove).arg(name).let_finish()])
    }

    fn add_group(&self, host: &Host, name: &str, group: &GroupWish) -> Result<Vec<Command>> {
        let command = host.command(host.need_program("addgroup")?).option("-g", group.gid.map(|gid| gid.to_string()).as_deref());
        Ok(vec![command.flag("-S", group.system).arg(name).let_finish()])
    }

    fn change_group(&self, _: &Host, name: &str, _: u32, _: bool) -> Result<Vec<Command>> {
        Err(Failure::new(format!("`gid` of group `{name}` cannot be changed: busybox has no `groupmod`")).with("name", name))
    }

    fn delete_group(&self, host: &Host, name: &str, _force: bool) -> Result<Vec<Command>> {
        Ok(vec![host.command(host.need_program("delgroup")?).arg(name).let_finish()])
    }
}
