//! Users and groups by name and number: /etc/passwd and /etc/group read here, `getent` for the rest (LDAP, systemd). Never NSS itself:
//! the helper is a static binary.

use std::fs;

/// A line of passwd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its main group.
    pub gid: u32,
    /// The comment field.
    pub gecos: String,
    /// Home folder.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: u32,
    /// The users whose main group is another one.
    pub members: Vec<String>,
}

/// The user called `name`.
pub fn user_by_name(name: &str) -> Option<User> {
    user(name, |user| user.name == name)
}

/// The user with the number `uid`.
pub fn user_by_id(uid: u32) -> Option<User> {
    user(&uid.to_string(), |user| user.uid == uid)
}

/// The group called `name`.
pub fn group_by_name(name: &str) -> Option<Group> {
    group(name, |group| group.name == name)
}

/// The group with the number `gid`.
pub fn group_by_id(gid: u32) -> Option<Group> {
    group(&gid.to_string(), |group| group.gid == gid)
}

/// The users of /etc/passwd, in its order.
pub fn local_users() -> Vec<User> {
    fs::read("/etc/passwd").map(|bytes| lines(&bytes).filter_map(|line| parse_user(&line)).collect()).unwrap_or_default()
}

/// The groups of /etc/group, in its order.
pub fn local_groups() -> Vec<Group> {
    fs::read("/etc/group").map(|bytes| lines(&bytes).filter_map(|line| parse_group(&line)).collect()).unwrap_or_default()
}

fn user(key: &str, wanted: impl Fn(&User) -> bool) -> Option<User> {
    local_users().into_iter().find(&wanted).or_else(|| parse_user(&getent("passwd", key)?).filter(wanted))
}

fn group(key: &str, wanted: impl Fn(&Group) -> bool) -> Option<Group> {
    local_groups().into_iter().find(&wanted).or_else(|| parse_group(&getent("group", key)?).filter(wanted))
}

/// The first line of `getent DATABASE KEY`, where the host asks more than its files.
fn getent(database: &str, key: &str) -> Option<String> {
    if key.is_empty() || key.starts_with('-') || !asks_more_than_files(database) {
        return None;
    }
    let output = super::command::plain_query("getent", &[database, key])?;
    lines(&output).next()
}

/// Whether nsswitch.conf names a source besides the files. A host without one (musl) has only files.
fn asks_more_than_files(database: &str) -> bool {
    let Ok(text) = fs::read_to_string("/etc/nsswitch.conf") else { return false };
    text.lines()
        .filter_map(|line| line.split('#').next()?.split_once(':'))
        .filter(|(name, _)| name.trim() == database)
        .flat_map(|(_, sources)| sources.split_whitespace())
        .any(|source| !matches!(source, "files" | "compat") && !source.starts_with('['))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| String::from_utf8_lossy(line).into_owned())
}

fn parse_user(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
    Some(User {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: gecos.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else { return None };
    let members = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    Some(Group { name: name.to_owned(), gid: gid.parse().ok()?, members })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name_and_number() {
        assert_eq!(user_by_name("root").unwrap().uid, 0);
        assert_eq!(user_by_id(0).unwrap().name, "root");
        assert_eq!(group_by_id(0).unwrap().name, "root");
        assert_eq!(user_by_name("no-such-user-here"), None);
    }

    #[test]
    fn odd_lines_are_nobody() {
        assert_eq!(parse_user("a:b:c"), None);
        assert_eq!(parse_user("x:x:99999999999:1:::"), None);
        assert_eq!(parse_group("g:x:5:a,b").unwrap().members, ["a", "b"]);
    }
}
