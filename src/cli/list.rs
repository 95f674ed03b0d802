//! `--list-hosts`, `--list-tasks`, `--list-tags`: what would run, without running it.

use std::sync::Arc;

use super::session::{Exit, Hosts, NO_HOSTS_LEFT, Session};
use crate::executor::TagFilter;
use crate::inventory::{HostPattern, Inventory, LOCALHOST, PatternError};
use crate::playbook::load::Loader;
use crate::playbook::{Block, Play, Playbook, Task, Work};
use crate::source::{Diagnostic, Diagnostics};
use crate::value::Value;

/// What is listed.
#[derive(Clone, Copy)]
pub struct What {
    /// Hosts.
    pub hosts: bool,
    /// Tasks.
    pub tasks: bool,
    /// Tags.
    pub tags: bool,
}

impl What {
    /// Whether anything is.
    pub fn any(self) -> bool {
        self.hosts || self.tasks || self.tags
    }
}

/// Lists.
pub fn show(
    session: &mut Session,
    hosts: &Hosts,
    loader: &Loader<'_>,
    playbooks: &[Playbook],
    tags: &TagFilter,
    what: What,
) -> Result<(), Exit> {
    for playbook in playbooks {
        session.display.line(&format!("\nplaybook: {}", playbook.path.display()));
        for (index, play) in playbook.plays.iter().enumerate() {
            show_play(session, hosts, loader, play, index + 1, tags, what)?;
        }
    }
    Ok(())
}

fn show_play(
    session: &mut Session,
    hosts: &Hosts,
    loader: &Loader<'_>,
    play: &Play,
    number: usize,
    tags: &TagFilter,
    what: What,
) -> Result<(), Exit> {
    // What cannot be rendered without a host is shown as written.
    let rendered = |value: &Value| loader.play_value(value, play).unwrap_or_else(|_| value.clone());
    let hosts_value = rendered(&play.hosts.value);
    let patterns = Play::patterns(&hosts_value).map_err(|message| {
        session.display.diagnostic(&play.hosts.error(message));
        Exit(4)
    })?;
    let pattern = patterns.join(",");
    let name = play.name.as_ref().map_or_else(|| play.hosts_name(&hosts_value), |name| texts(&rendered(&name.value)).join(""));
    let play_tags = tag_list(&play.keywords.tags.iter().flat_map(|tag| texts(&tag.value)).collect::<Vec<_>>());
    let mut text = format!("\n  play #{number} ({pattern}): {name}\tTAGS: [{play_tags}]");
    if what.hosts {
        let shown: Vec<String> = patterns.iter().map(|pattern| format!("'{pattern}'")).collect();
        let names = names_of(session, hosts, &patterns)?;
        text.push_str(&format!("\n    pattern: [{}]\n    hosts ({}):", shown.join(", "), names.len()));
        for name in &names {
            text.push_str(&format!("\n      {name}"));
        }
    }
    let mut all_tags: Vec<String> = Vec::new();
    if what.tasks {
        text.push_str("\n    tasks:");
    }
    let entries: Vec<_> = [&play.pre_tasks, &play.role_tasks, &play.tasks, &play.post_tasks].into_iter().flatten().cloned().collect();
    for task in Block::of(entries).main_tasks() {
        if task.implicit {
            continue;
        }
        let own = match tags_of(loader, play, task) {
            Ok(own) => own,
            Err(diagnostic) => {
                let mut diagnostics = Diagnostics::new();
                diagnostics.push(diagnostic);
                return session.tell(diagnostics, 1);
            }
        };
        // Where tags are listed and none are named, those of tasks that never run are wanted too.
        let is_named = !tags.only.is_empty() || !tags.skip.is_empty();
        if !tags.runs(&own) && (!what.tags || is_named) {
            continue;
        }
        if what.tasks {
            text.push_str(&format!("\n      {}\tTAGS: [{}]", task_name(task), tag_list(&own)));
        }
        all_tags.extend(own);
    }
    if what.tags {
        text.push_str(&format!("\n      TASK TAGS: [{}]", tag_list(&all_tags)));
    }
    session.display.line(&text);
    Ok(())
}

/// The hosts of an ad-hoc command; a subscript beyond the last host names none.
pub fn matched(session: &mut Session, hosts: &Hosts, pattern: &str) -> Result<Vec<Arc<str>>, Exit> {
    let found = resolved(session, hosts, &[pattern.to_owned()]);
    let names = match found {
        // A pattern that names nobody is the play's mistake: it may be a template.
        Err(Missed::Pattern(PatternError::Subscript(_) | PatternError::Mismatch(_))) => Vec::new(),
        found => found.map_err(|missed| missed.exit(session))?,
    };
    let has_hosts = hosts.inventory.host_ids().any(|host| !hosts.inventory.host(host).is_implicit());
    if names.is_empty() && has_hosts && hosts.limit.is_some() {
        if LOCALHOST.contains(&pattern) {
            return Ok(names);
        }
        return Err(session.refuse(NO_HOSTS_LEFT, 1));
    }
    if names.is_empty() && has_hosts {
        session.display.warning("No hosts matched, nothing to do");
    }
    Ok(names)
}

/// `--list-hosts` of an ad-hoc command.
pub fn show_matched(session: &mut Session, names: &[Arc<str>]) {
    let mut text = format!("  hosts ({}):", names.len());
    for name in names {
        text.push_str(&format!("\n    {name}"));
    }
    session.display.line(&text);
}

/// Why there are no hosts.
enum Missed {
    Pattern(PatternError),
    /// Told already.
    Told(Exit),
}

impl Missed {
    fn exit(self, session: &mut Session) -> Exit {
        match self {
            Self::Pattern(error) => session.refuse(error.to_string(), 1),
            Self::Told(exit) => exit,
        }
    }
}

fn names_of(session: &mut Session, hosts: &Hosts, patterns: &[String]) -> Result<Vec<Arc<str>>, Exit> {
    resolved(session, hosts, patterns).map_err(|missed| missed.exit(session))
}

fn resolved(session: &mut Session, hosts: &Hosts, patterns: &[String]) -> Result<Vec<Arc<str>>, Missed> {
    if patterns.is_empty() {
        return Ok(Vec::new());
    }
    let mut inventory = Inventory::clone(&hosts.inventory);
    if let Some(name) = patterns.iter().find(|name| LOCALHOST.contains(&name.as_str())) {
        inventory.implicit_localhost(name);
    }
    let mut diagnostics = Diagnostics::new();
    let found = HostPattern::parse_all(patterns.iter().map(String::as_str)).resolve(&inventory, &mut diagnostics);
    session.tell(diagnostics, 1).map_err(Missed::Told)?;
    let mut found = found.map_err(Missed::Pattern)?;
    if let Some(limit) = &hosts.limit {
        let limited = limit.resolve(&inventory, &mut Diagnostics::new()).map_err(Missed::Pattern)?;
        found.retain(|host| limited.contains(host));
    }
    Ok(found.into_iter().map(|host| Arc::clone(inventory.host(host).name())).collect())
}

/// Only a task with a name shows its role, and an `include_role` never does.
fn task_name(task: &Task) -> String {
    let Some(name) = &task.name else { return task.action_name().to_owned() };
    let own = texts(&name.value).join("");
    match task.role().filter(|_| !matches!(task.work, Work::IncludeRole(_))) {
        Some(role) => format!("{} : {own}", role.name),
        None => own,
    }
}

fn tags_of(loader: &Loader<'_>, play: &Play, task: &Task) -> Result<Vec<String>, Diagnostic> {
    let mut tags = Vec::new();
    for tag in &task.keywords.tags {
        tags.extend(texts(&loader.task_value(&tag.value, play, task)?));
    }
    Ok(tags)
}

fn tag_list(tags: &[String]) -> String {
    let mut tags = tags.to_vec();
    tags.sort();
    tags.dedup();
    tags.join(", ")
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().flat_map(texts).collect(),
        Value::Null => Vec::new(),
        one => vec![crate::template::print::value_to_text(one).as_str().to_owned()],
    }
}
