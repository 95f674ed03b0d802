//! useradd, usermod, userdel, groupadd, groupmod, groupdel.

use super::{Extend, GroupWish, NewUser, Tools, UserChange, group_named, set_password};
use crate::host::{Command, identity};
use crate::{Host, Result};

pub(super) struct ShadowTools;

impl Tools for ShadowTools {
    fn add_user(&self, host: &Host, name: &str, new: &NewUser, change: &UserChange) -> Result<Vec<Command>> {
        let mut add = host.command(host.need_program("useradd")?);
        add = add.option("-u", change.uid.map(|uid| uid.to_string()).as_deref()).flag("-o", change.uid.is_some() && change.non_unique);
        match &change.group {
            Some(group) => {
                group_named(group)?;
                add = add.arg("-g").arg(group);
            }
            // Its own group cannot be made a second time.
            None if identity::group_by_name(name).is_some() => add = add.arg("-N"),
            None => {}
        }
        let groups = change.groups.as_ref().filter(|groups| !groups.is_empty()).map(|groups| groups.join(","));
        add = add.option("-G", groups.as_deref()).option("-c", change.comment.as_deref()).option("-d", change.home.as_deref());
        add = add.option("-s", change.shell.as_deref()).option("-e", change.expires.as_deref());
        add = if new.create_home { add.arg("-m").option("-k", new.skeleton.as_deref()) } else { add.arg("-M") };
        for (setting, value) in &new.settings {
            add = add.arg("-K").arg(format!("{setting}={value}"));
        }
        let mut commands = vec![add.flag("-r", new.system).arg(name).let_finish()];
        if let Some(hash) = &change.password {
            commands.push(set_password(host, name, hash)?);
        }
        if let Some(true) = change.lock
            && change.password.is_none()
        {
            commands.push(host.command(host.need_program("usermod")?).args(["-L", name]));
        }
        Ok(commands)
    }

    fn change_user(&self, host: &mut Host, name: &str, change: &UserChange) -> Result<Vec<Command>> {
        let program = host.need_program("usermod")?;
        let plain = host.command(program);
        let mut usermod = plain.clone();
        usermod =
            usermod.option("-u", change.uid.map(|uid| uid.to_string()).as_deref()).flag("-o", change.uid.is_some() && change.non_unique);
        usermod = usermod.option("-g", change.group.as_deref());
        if !change.left.is_empty() {
            let all = change.groups.clone().unwrap_or_default().join(",");
            usermod = usermod.arg("-G").arg(all);
        } else if !change.joined.is_empty() {
            usermod = usermod.arg("-a").arg("-G").arg(change.joined.join(","));
        }
        usermod = usermod.option("-c", change.comment.as_deref()).option("-d", change.home.as_deref());
        usermod = usermod.flag("-m", change.home.is_some() && change.move_home);
        usermod = usermod.option("-s", change.shell.as_deref()).option("-e", change.expires.as_deref());
        usermod = match change.lock {
            Some(true) if change.password.is_none() => usermod.arg("-L"),
            Some(false) if change.password.is_none() => usermod.arg("-U"),
            Some(_) | None => usermod,
        };
        let mut commands = Vec::new();
        if usermod.argv().len() > plain.argv().len() {
            commands.push(usermod.arg(name).let_finish());
        }
        if let Some(hash) = &change.password {
            commands.push(set_password(host, name, hash)?);
        }
        Ok(commands)
    }

    fn delete_user(&self, host: &Host, name: &str, force: bool, remove: bool) -> Result<Vec<Command>> {
        let command = host.command(host.need_program("userdel")?);
        Ok(vec![command.flag("-f", force).flag("-r", remove).arg(name).let_finish()])
    }

    fn add_group(&self, host: &Host, name: &str, group: &GroupWish) -> Result<Vec<Command>> {
        let mut command = host.command(host.need_program("groupadd")?);
        command = command.option("-g", group.gid.map(|gid| gid.to_string()).as_deref());
        command = command.flag("-o", group.gid.is_some() && group.non_unique).flag("-r", group.system);
        for (setting, value) in &group.settings {
            command = command.arg("-K").arg(format!("{setting}={value}"));
        }
        Ok(vec![command.arg(name).let_finish()])
    }

    fn change_group(&self, host: &Host, name: &str, gid: u32, non_unique: bool) -> Result<Vec<Command>> {
        let command = host.command(host.need_program("groupmod")?).arg("-g").arg(gid.to_string());
        Ok(vec![command.flag("-o", non_unique).arg(name).let_finish()])
    }

    fn delete_group(&self, host: &Host, name: &str, force: bool) -> Result<Vec<Command>> {
        Ok(vec![host.command(host.need_program("groupdel")?).flag("-f", force).arg(name).let_finish()])
    }
}
