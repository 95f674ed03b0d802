//! `group`: groups of users.

use driftless_macros::{Args, Choice};

use crate::accounts::{GroupWish, Said, run_all, tools_for_groups};
use crate::host::{Change, identity};
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Group;

/// Its options.
#[derive(Args)]
#[args(required_if(non_unique = true, "gid"))]
pub struct GroupArgs {
    /// Name of the group.
    #[arg(required)]
    name: String,
    /// Whether it is to be there.
    #[arg(default = "present")]
    state: State,
    /// Its number.
    gid: Option<u32>,
    /// The highest number that a new group may get by itself.
    gid_max: Option<u32>,
    /// The lowest number that a new group may get by itself.
    gid_min: Option<u32>,
    /// Whether a new group is the system's.
    #[arg(default = false)]
    system: bool,
    /// Whether another group may have the same number.
    #[arg(default = false)]
    non_unique: bool,
    /// Whether the group goes even if it is somebody's main one.
    #[arg(default = false)]
    force: bool,
}

#[derive(Choice, Clone, Copy, PartialEq)]
enum State {
    Absent,
    Present,
}

impl Module for Group {
    type Args = GroupArgs;
    const NAME: &'static str = "group";
    const SUMMARY: &'static str = "Manage groups of users";
    const MISSING: &'static [(&'static str, &'static str)] = &[("local", "libuser's programs are not used yet")];
    const EXAMPLES: &'static [&'static str] = &["group:\n  name: web\n  gid: 3001"];

    fn run(args: GroupArgs, host: &mut Host) -> Result<Outcome> {
        let name = args.name.as_str();
        let there = identity::group_by_name(name);
        let change = Change::of("group", name);
        let said = match (args.state, &there) {
            (State::Absent, None) => None,
            (State::Absent, Some(_)) => {
                let commands = tools_for_groups(host).delete_group(host, name, args.force)?;
                host.change(change.from_to("present", "absent"), |door| checked(name, run_all(door, &commands)?))?
            }
            (State::Present, None) => {
                let settings = [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)];
                let settings = settings.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect();
                let wish = GroupWish { gid: args.gid, non_unique: args.non_unique, system: args.system, settings };
                let commands = tools_for_groups(host).add_group(host, name, &wish)?;
                host.change(change.from_to("absent", "present"), |door| checked(name, run_all(door, &commands)?))?
            }
            (State::Present, Some(group)) => match args.gid.filter(|gid| *gid != group.gid) {
                Some(gid) => {
                    let commands = tools_for_groups(host).change_group(host, name, gid, args.non_unique)?;
                    host.change(change.from_to(group.gid, gid), |door| checked(name, run_all(door, &commands)?))?
                }
                None => None,
            },
        };
        let mut outcome = host.outcome();
        let stays = args.state == State::Present && there.is_some();
        if host.is_checking() && outcome.changed() && !stays {
            return Ok(outcome);
        }
        outcome.set("name", name);
        outcome.set("state", if args.state == State::Present { "present" } else { "absent" });
        if let Some(said) = said {
            for (key, text) in [("stdout", said.stdout), ("stderr", said.stderr)] {
                if !text.is_empty() {
                    outcome.set(key, text);
                }
            }
        }
        if let Some(group) = identity::group_by_name(name).filter(|_| args.state == State::Present) {
            outcome.set("system", args.system);
            outcome.set("gid", group.gid);
        }
        Ok(outcome)
    }
}

fn checked(name: &str, said: Said) -> Result<Said> {
    if said.rc == 0 { Ok(said) } else { Err(Failure::new(said.stderr).with("name", name)) }
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn what_is_there_stays() {
        let law = Law::of("group");
        let outcome = law.unchanged(json!({"name": "root", "gid": 0}));
        assert_eq!(outcome.get("gid"), Some(&json!(0)));
        law.unchanged(json!({"name": "no-such-group", "state": "absent"}));
    }

    #[test]
    fn a_number_of_others_must_be_given() {
        let crate::Json::Object(args) = json!({"name": "g", "non_unique": true}) else { panic!("a dict") };
        assert!(crate::registry::find("group").unwrap().spec().check(&args).is_err());
    }

    #[test]
    fn programs_are_told_all() {
        let law = Law::of("group");
        for name in ["groupadd", "groupmod"] {
            law.tool(name, r#"echo "${0##*/} $*" >> $WORLD.log"#);
        }
        let args = json!({"name": "fresh-group", "gid": 4711, "system": true, "non_unique": true});
        assert!(law.run(args.clone(), Mode::Check).outcome.changed());
        law.run(args, Mode::Real);
        law.run(json!({"name": "root", "gid": 4711}), Mode::Real);
        assert_eq!(law.read("world.log"), "groupadd -g 4711 -o -r fresh-group\ngroupmod -g 4711 root\n");
    }

    #[test]
    fn programs_failures_are_the_tasks() {
        let law = Law::of("group");
        law.tool("groupdel", "echo 'groupdel: no' >&2; exit 8");
        let outcome = law.fails(json!({"name": "root", "state": "absent"}), "groupdel: no\n");
        assert_eq!(outcome.get("name"), Some(&json!("root")));
    }
}
