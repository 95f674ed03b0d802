//! `user`: accounts of people and of services.

use std::path::{Path, PathBuf};

use driftless_macros::{Args, Choice};
use serde_json::json;

use crate::accounts::ssh_key::KeyWish;
use crate::accounts::{NewUser, Said, Shadow, UserChange, group_named, memberships, run_all, tools_for_users};
use crate::host::identity::{self, User as Account};
use crate::host::{Change, Command};
use crate::outcome::Context;
use crate::{Failure, Host, Module, Outcome, Result};

/// The default of `ssh_key_comment`; the host's name stands for its variable.
const KEY_COMMENT: &str = "ansible-generated on $HOSTNAME";

/// The module.
pub struct User;

/// Its options.
#[derive(Args)]
#[args(required_if(append = true, "groups"))]
pub struct UserArgs {
    /// Name of the account.
    #[arg(required, alias = "user")]
    name: String,
    /// Whether it is to be there.
    #[arg(default = "present")]
    state: State,
    /// Whether it stays in its other groups too.
    #[arg(default = false)]
    append: bool,
    /// Solaris only; nothing here.
    authorization: Option<String>,
    /// Its comment field.
    comment: Option<String>,
    /// Whether it gets a home folder.
    #[arg(default = true, alias = "createhome")]
    create_home: bool,
    /// When it expires, in seconds since 1970; negative: never.
    expires: Option<f64>,
    /// With `state: absent`, removed even while it is used; with `generate_ssh_key`, an old key is replaced.
    #[arg(default = false)]
    force: bool,
    /// Whether it gets an SSH key.
    #[arg(default = false)]
    generate_ssh_key: bool,
    /// Its main group.
    group: Option<String>,
    /// Its other groups.
    groups: Option<Vec<String>>,
    /// macOS only; nothing here.
    hidden: Option<bool>,
    /// Its home folder.
    home: Option<PathBuf>,
    /// BSD only; nothing here.
    login_class: Option<String>,
    /// Whether the content of its old home goes to the new one.
    #[arg(default = false)]
    move_home: bool,
    /// Whether another account may have the same number.
    #[arg(default = false)]
    non_unique: bool,
    /// The hash of its password.
    #[arg(secret)]
    password: Option<String>,
    /// Days from its password's end to its own.
    password_expire_account_disable: Option<i64>,
    /// Days after which its password must be changed.
    password_expire_max: Option<i64>,
    /// Days before which its password cannot be changed.
    password_expire_min: Option<i64>,
    /// Days of warning before its password ends.
    password_expire_warn: Option<i64>,
    /// Whether its password is locked.
    password_lock: Option<bool>,
    /// Solaris only; nothing here.
    profile: Option<String>,
    /// With `state: absent`, whether its home goes too.
    #[arg(default = false)]
    remove: bool,
    /// Solaris only; nothing here.
    role: Option<String>,
    /// Its login shell.
    shell: Option<PathBuf>,
    /// The folder whose content a new home gets.
    skeleton: Option<String>,
    /// Length of the SSH key.
    ssh_key_bits: Option<i64>,
    /// Comment of the SSH key.
    #[arg(default = "ansible-generated on $HOSTNAME")]
    ssh_key_comment: String,
    /// Where the SSH key is; relative paths start in the home.
    ssh_key_file: Option<PathBuf>,
    /// Type of the SSH key.
    #[arg(default = "rsa")]
    ssh_key_type: String,
    /// Whether a new account is the system's.
    #[arg(default = false)]
    system: bool,
    /// Its number.
    uid: Option<u32>,
    /// The highest number that a new account may get by itself.
    uid_max: Option<u32>,
    /// The lowest number that a new account may get by itself.
    uid_min: Option<u32>,
    /// The umask that a new home is made with.
    umask: Option<String>,
    /// Whether the password of an account that is there is changed too.
    #[arg(default = "always")]
    update_password: UpdatePassword,
}

#[derive(Choice, Clone, Copy, PartialEq)]
enum State {
    Absent,
    Present,
}

#[derive(Choice, Clone, Copy, PartialEq)]
enum UpdatePassword {
    Always,
    OnCreate,
}

impl Module for User {
    type Args = UserArgs;
    const NAME: &'static str = "user";
    const SUMMARY: &'static str = "Make, change and remove users";
    const MISSING: &'static [(&'static str, &'static str)] = &[
        ("local", "libuser's programs are not used yet"),
        ("seuser", "SELinux users are not set yet"),
        ("ssh_key_passphrase", "keys are made without a passphrase so far"),
    ];
    const EXAMPLES: &'static [&'static str] = &["user:\n  name: deploy\n  groups: [www-data]\n  append: true\n  shell: /bin/bash"];

    fn run(args: UserArgs, host: &mut Host) -> Result<Outcome> {
        if let Some(password) = &args.password
            && !looks_hashed(password)
        {
            host.warn("The input password appears not to have been hashed. The 'password' argument must be encrypted for this module to work properly.");
        }
        let elsewhere = [
            ("authorization", args.authorization.is_some()),
            ("hidden", args.hidden.is_some()),
            ("login_class", args.login_class.is_some()),
            ("profile", args.profile.is_some()),
            ("role", args.role.is_some()),
        ];
        for (option, _) in elsewhere.iter().filter(|(_, is_given)| *is_given) {
            host.warn(format!("`{option}` does nothing on Linux"));
        }
        let there = identity::user_by_name(&args.name);
        match (args.state, there) {
            (State::Absent, there) => remove(&args, there.as_ref(), host),
            (State::Present, None) => create(&args, host),
            (State::Present, Some(account)) => modify(&args, &account, host),
        }
    }
}

fn remove(args: &UserArgs, there: Option<&Account>, host: &mut Host) -> Result<Outcome> {
    let mut said = None;
    if there.is_some() {
        let commands = tools_for_users(host).delete_user(host, &args.name, args.force, args.remove)?;
        let change = Change::of("user", args.name.as_str()).from_to("present", "absent");
        said = host.change(change, |door| checked(&args.name, run_all(door, &commands)?))?;
    }
    let mut outcome = host.outcome();
    if host.is_checking() && outcome.changed() {
        return Ok(outcome);
    }
    outcome.set("name", args.name.as_str());
    outcome.set("state", "absent");
    if let Some(said) = said {
        outcome.set("force", args.force);
        outcome.set("remove", args.remove);
        tell_said(&mut outcome, said);
    }
    Ok(outcome)
}

fn create(args: &UserArgs, host: &mut Host) -> Result<Outcome> {
    // Groups that nobody has yet are no mistake before the run that makes them.
    let groups = if host.is_checking() { None } else { wanted_groups(args, None)? };
    let settings = [
        ("UID_MIN", args.uid_min.map(|uid| uid.to_string())),
        ("UID_MAX", args.uid_max.map(|uid| uid.to_string())),
        ("UMASK", args.umask.clone().filter(|_| args.create_home)),
    ];
    let new = NewUser {
        system: args.system,
        create_home: args.create_home,
        skeleton: args.skeleton.clone(),
        settings: settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
    };
    let locked = if args.password_lock == Some(true) { "!" } else { "" };
    let wish = UserChange {
        uid: args.uid,
        non_unique: args.non_unique,
        group: args.group.clone(),
        groups,
        comment: args.comment.clone(),
        home: args.home.as_ref().map(|home| home.display().to_string()),
        shell: args.shell.as_ref().map(|shell| shell.display().to_string()),
        expires: args.expires.filter(|expires| *expires >= 0.0).map(day),
        password: args.password.as_ref().map(|hash| format!("{locked}{hash}")),
        lock: args.password_lock.filter(|lock| *lock),
        ..UserChange::default()
    };
    let mut commands = tools_for_users(host).add_user(host, &args.name, &new, &wish)?;
    commands.extend(ageing(args, None, host)?);
    let change = Change::of("user", args.name.as_str()).from_to("absent", "present");
    let said = host.change(change, |door| checked(&args.name, run_all(door, &commands)?))?;
    let Some(said) = said else { return Ok(host.outcome()) };
    finish(args, host, said, |outcome| {
        outcome.set("system", args.system);
        outcome.set("create_home", args.create_home);
    })
}

fn modify(args: &UserArgs, account: &Account, host: &mut Host) -> Result<Outcome> {
    let shadow = Shadow::of(&args.name);
    let wish = wished(args, account, shadow.as_ref())?;
    let mut commands = tools_for_users(host).change_user(host, &args.name, &wish)?;
    commands.extend(ageing(args, shadow.as_ref(), host)?);
    let mut said = Said::default();
    if !commands.is_empty() {
        let change = Change::of("user", args.name.as_str()).from_to(json!({}), shown(&wish));
        said = host.change(change, |door| checked(&args.name, run_all(door, &commands)?))?.unwrap_or_default();
    }
    finish(args, host, said, |outcome| {
        outcome.set("append", args.append);
        outcome.set("move_home", args.move_home);
    })
}

/// What of an account is to be another.
fn wished(args: &UserArgs, account: &Account, shadow: Option<&Shadow>) -> Result<UserChange> {
    let group = match &args.group {
        Some(group) => Some(group_named(group)?).filter(|wanted| wanted.gid != account.gid).map(|_| group.clone()),
        None => None,
    };
    let current = memberships(account);
    let groups = wanted_groups(args, Some(account))?;
    let joined: Vec<String> = groups.iter().flatten().filter(|group| !current.contains(group)).cloned().collect();
    let left: Vec<String> = match &groups {
        Some(groups) if !args.append => current.iter().filter(|group| !groups.contains(group)).cloned().collect(),
        Some(_) | None => Vec::new(),
    };
    let differs = |wanted: Option<String>, now: &str| wanted.filter(|wanted| wanted != now);
    let hash = shadow.map_or("", |shadow| shadow.password.as_str());
    let is_locked = hash.starts_with('!');
    let bare = |hash: &str| hash.trim_start_matches('!').to_owned();
    let password = args.password.as_ref().filter(|wanted| args.update_password == UpdatePassword::Always && bare(wanted) != bare(hash));
    let lock = args.password_lock.filter(|lock| shadow.is_some() && *lock != is_locked);
    let prefix = if args.password_lock == Some(true) { "!" } else { "" };
    Ok(UserChange {
        uid: args.uid.filter(|uid| *uid != account.uid),
        non_unique: args.non_unique,
        group,
        groups,
        joined,
        left,
        comment: differs(args.comment.clone(), &account.gecos),
        home: differs(args.home.as_ref().map(|home| home.display().to_string()), &account.home),
        move_home: args.move_home,
        shell: differs(args.shell.as_ref().map(|shell| shell.display().to_string()), &account.shell),
        expires: args.expires.and_then(|wanted| expiry(wanted, shadow.and_then(|shadow| shadow.expires))),
        password: password.map(|hash| format!("{prefix}{hash}")),
        lock,
    })
}

/// The groups that are asked for, without the main one; each must be there.
fn wanted_groups(args: &UserArgs, account: Option<&Account>) -> Result<Option<Vec<String>>> {
    let Some(groups) = &args.groups else { return Ok(None) };
    let mut names: Vec<String> = Vec::new();
    for text in groups.iter().map(|group| group.trim()).filter(|group| !group.is_empty()) {
        let group = group_named(text)?;
        // The main group that is to come counts for a new account alone; an old one joins it by name too, as in Ansible.
        let is_main = match (account, &args.group) {
            (Some(account), _) => account.gid == group.gid,
            (None, Some(main)) => group_named(main)?.gid == group.gid,
            (None, None) => false,
        };
        if !is_main && !names.contains(&group.name) {
            names.push(group.name);
        }
    }
    Ok(Some(names))
}

/// What `-e` is to be, where the day of expiry is another.
fn expiry(wanted: f64, now: Option<i64>) -> Option<String> {
    if wanted < 0.0 {
        return now.filter(|day| *day >= 0).map(|_| String::new());
    }
    #[allow(clippy::cast_possible_truncation, reason = "days since 1970 are few")]
    let days = (wanted / 86_400.0).floor() as i64;
    (now != Some(days)).then(|| day(wanted))
}

/// A day as shadow's programs read it.
fn day(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "jiff refuses what is too large")]
    let time = jiff::Timestamp::from_second(seconds as i64).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%d").to_string()
}

/// The days of a password that are to be others.
fn ageing(args: &UserArgs, now: Option<&Shadow>, host: &Host) -> Result<Option<Command>> {
    let rows = [
        ("-m", args.password_expire_min, now.and_then(|now| now.min)),
        ("-M", args.password_expire_max, now.and_then(|now| now.max)),
        ("-W", args.password_expire_warn, now.and_then(|now| now.warn)),
        ("-I", args.password_expire_account_disable, now.and_then(|now| now.inactive)),
    ];
    let wanted: Vec<(&str, i64)> =
        rows.into_iter().filter_map(|(flag, wanted, now)| Some((flag, wanted.filter(|_| wanted != now)?))).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut command = host.command(host.need_program("chage")?);
    for (flag, days) in wanted {
        command = command.arg(flag).arg(days.to_string());
    }
    Ok(Some(command.arg(&args.name)))
}

/// What both a new and an old account get: a home if it lacks one, a key, and the result's keys.
fn finish(args: &UserArgs, host: &mut Host, said: Said, more: impl FnOnce(&mut Outcome)) -> Result<Outcome> {
    let account = identity::user_by_name(&args.name);
    if let Some(account) = &account {
        if args.create_home && !Path::new(&account.home).exists() && !(host.is_checking() && args.home.is_some()) {
            make_home(args, account, host)?;
        }
        if args.generate_ssh_key {
            key(args).make(host, account)?;
        }
    }
    let mut outcome = host.outcome();
    outcome.set("name", args.name.as_str());
    outcome.set("state", "present");
    more(&mut outcome);
    if let Some(account) = account {
        outcome.set("uid", account.uid);
        outcome.set("group", account.gid);
        outcome.set("comment", account.gecos.as_str());
        outcome.set("home", account.home.as_str());
        outcome.set("shell", account.shell.as_str());
        outcome.set("groups", memberships(&account).join(","));
        if args.generate_ssh_key {
            key(args).tell(host, &account, &mut outcome)?;
        }
    }
    if args.password.is_some() {
        outcome.set("password", "NOT_LOGGING_PASSWORD");
    }
    tell_said(&mut outcome, said);
    Ok(outcome)
}

fn make_home(args: &UserArgs, account: &Account, host: &mut Host) -> Result<()> {
    let home = PathBuf::from(&account.home);
    let skeleton = args.skeleton.clone().unwrap_or_else(|| "/etc/skel".to_owned());
    let umask = args.umask.as_deref().and_then(|umask| u32::from_str_radix(umask, 8).ok());
    let mode = umask.map(|umask| 0o777 & !umask).or_else(home_mode).unwrap_or(0o755);
    let copy = host.command("cp").args(["-R", "-P", &format!("{skeleton}/."), &account.home]);
    let own = host.command("chown").args(["-h", "-R", &format!("{}:{}", account.uid, account.gid), &account.home]);
    host.change(Change::of("file", account.home.as_str()).from_to("absent", "directory"), |door| {
        door.create_dir_all(&home)?;
        if Path::new(&skeleton).is_dir() {
            door.run(&copy)?.or_fail(|output| output.stderr()).context("could not fill the home folder")?;
        }
        door.run(&own)?.or_fail(|output| output.stderr())?;
        door.set_mode(&home, mode)
    })?;
    Ok(())
}

/// The permissions that login.defs has for homes.
fn home_mode() -> Option<u32> {
    let text = std::fs::read_to_string("/etc/login.defs").ok()?;
    let setting = |name: &str| {
        let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let value = words.filter(|words| words.first() == Some(&name)).filter_map(|words| words.get(1).copied()).next_back()?;
        u32::from_str_radix(value, 8).ok()
    };
    setting("HOME_MODE").or_else(|| setting("UMASK").map(|umask| 0o777 & !umask))
}

fn key(args: &UserArgs) -> KeyWish {
    let comment = if args.ssh_key_comment == KEY_COMMENT {
        format!("ansible-generated on {}", rustix::system::uname().nodename().to_string_lossy())
    } else {
        args.ssh_key_comment.clone()
    };
    KeyWish { kind: args.ssh_key_type.clone(), bits: args.ssh_key_bits, comment, file: args.ssh_key_file.clone(), force: args.force }
}

fn shown(wish: &UserChange) -> crate::Json {
    let mut map = crate::JsonMap::new();
    let mut put = |name: &str, value: Option<crate::Json>| {
        if let Some(value) = value {
            map.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(crate::Json::from);
    put("uid", wish.uid.map(Into::into));
    put("group", text(&wish.group));
    put("groups", (!wish.joined.is_empty() || !wish.left.is_empty()).then(|| wish.groups.clone().unwrap_or_default().into()));
    put("comment", text(&wish.comment));
    put("home", text(&wish.home));
    put("shell", text(&wish.shell));
    put("expires", text(&wish.expires));
    put("password", wish.password.is_some().then(|| "changed".into()));
    put("password_lock", wish.lock.map(Into::into));
    map.into()
}

fn tell_said(outcome: &mut Outcome, said: Said) {
    for (key, text) in [("stdout", said.stdout), ("stderr", said.stderr)] {
        if !text.is_empty() {
            outcome.set(key, text);
        }
    }
}

fn checked(name: &str, said: Said) -> Result<Said> {
    if said.rc == 0 { Ok(said) } else { Err(Failure::new(said.stderr).with("name", name).with("rc", said.rc)) }
}

/// Whether a text can be a password's hash, or is one of those that no password has.
fn looks_hashed(password: &str) -> bool {
    if ["*", "!", "*************"].contains(&password) {
        return true;
    }
    let fields: Vec<&str> = password.split('$').collect();
    if password.contains([':', '*', '\n']) || fields.len() < 3 {
        return false;
    }
    let hash = fields.last().copied().unwrap_or_default();
    let wanted = match fields[1] {
        "1" => Some(22),
        "5" => Some(43),
        "6" => Some(86),
        _ => None,
    };
    hash.chars().all(|letter| letter.is_ascii_alphanumeric() || "./".contains(letter)) && wanted.is_none_or(|length| hash.len() == length)
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn what_is_there_stays() {
        let law = Law::of("user");
        let outcome = law.unchanged(json!({"name": "root", "uid": 0, "group": "root", "home": "/root", "create_home": false}));
        assert_eq!(outcome.get("home"), Some(&json!("/root")));
        law.unchanged(json!({"name": "no-such-user", "state": "absent"}));
        law.fails(json!({"name": "root", "groups": ["no-such-group"]}), "Group no-such-group does not exist");
    }

    #[test]
    fn programs_are_told_all_and_passwords_only_by_stdin() {
        let law = Law::of("user");
        for name in ["useradd", "usermod", "userdel", "chage", "chpasswd"] {
            law.tool(name, r#"echo "${0##*/} $*" >> $WORLD.log; [ "${0##*/}" != chpasswd ] || cat >> $WORLD.log"#);
        }
        let hash = format!("$6$salt${}", "a".repeat(86));
        let args = json!({
            "name": "fresh-user", "uid": 4711, "group": "root", "groups": "daemon", "comment": "A B", "system": true, "shell": "/bin/sh",
            "expires": 1_800_000_000.0, "password": hash, "password_lock": true, "password_expire_max": 30, "uid_min": 500,
        });
        let foretold = law.run(args.clone(), Mode::Check).outcome;
        assert!(foretold.changed());
        law.run(args, Mode::Real);
        let expected = format!(
            "useradd -u 4711 -g root -G daemon -c A B -s /bin/sh -e 2027-01-15 -m -K UID_MIN=500 -r fresh-user\n\
             chpasswd -e\nfresh-user:!{hash}\nchage -M 30 fresh-user\n"
        );
        assert_eq!(law.read("world.log"), expected);
    }

    #[test]
    fn the_main_group_to_come_is_joined_by_name_too() {
        let law = Law::of("user");
        law.tool("usermod", r#"echo "$*" >> $WORLD.log"#);
        law.run(json!({"name": "root", "group": "daemon", "groups": ["daemon", "bin"]}), Mode::Real);
        assert_eq!(law.read("world.log"), "-g daemon -a -G daemon,bin root\n");
        let crate::Json::Object(args) = json!({"name": "root", "append": true}) else { panic!("a dict") };
        assert!(crate::registry::find("user").unwrap().spec().check(&args).is_err());
    }

    #[test]
    fn failures_of_programs_are_the_tasks() {
        let law = Law::of("user");
        law.tool("usermod", "echo 'usermod: no' >&2; exit 4");
        let outcome = law.fails(json!({"name": "root", "comment": "another"}), "usermod: no\n");
        assert_eq!(outcome.get("rc"), Some(&json!(4)));
    }

    #[test]
    fn days_of_expiry_are_compared() {
        assert_eq!(super::expiry(-1.0, None), None);
        assert_eq!(super::expiry(-1.0, Some(20_000)), Some(String::new()));
        assert_eq!(super::expiry(86_400.0 * 20_833.5, Some(20_833)), None);
        assert_eq!(super::expiry(0.0, None), Some("1970-01-01".to_owned()));
    }
}
