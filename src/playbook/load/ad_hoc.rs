//! A play of one task, for a command typed at the shell.

use std::path::Path;
use std::sync::Arc;

use super::{Loader, args};
use crate::playbook::Playbook;
use crate::source::{Diagnostics, Source, Span, short_name};
use crate::template::print::shown;
use crate::value::{Key, Map, Text, Value};
use crate::yaml::{self, Node, NodeKind};

/// What was typed.
#[derive(Clone, Copy, Debug)]
pub struct AdHoc<'a> {
    /// Which hosts.
    pub pattern: &'a str,
    /// The module.
    pub module: &'a str,
    /// Its arguments: `key=value`, free text, or a JSON object.
    pub args: &'a str,
    /// Seconds it may run in the background; 0: in the foreground.
    pub background: u32,
    /// Seconds between looks at it.
    pub poll: u32,
    /// Seconds it may take; 0: any.
    pub timeout: u32,
}

impl Loader<'_> {
    /// The play of an ad-hoc command; mistakes point into what was typed.
    pub fn ad_hoc(&self, wanted: &AdHoc<'_>, folder: &Path, diagnostics: &mut Diagnostics) -> Playbook {
        let args_source = Source::named("<arguments>", wanted.args);
        let args = if wanted.args.trim_start().starts_with('{') {
            yaml::load_one(&args_source, diagnostics).unwrap_or_else(|| text(&args_source))
        } else {
            text(&args_source)
        };
        let mut task = vec![self.call_of(wanted.module, &args)];
        if wanted.background > 0 {
            task.push((word("async"), number(wanted.background)));
            task.push((word("poll"), number(wanted.poll)));
        }
        if wanted.timeout > 0 {
            task.push((word("timeout"), number(wanted.timeout)));
        }
        let task_source = Source::named(format!("<adhoc '{}' task>", wanted.module), description(wanted, &args));
        let task = Node { span: Span::new(&task_source, 0, task_source.text().len()), kind: NodeKind::Mapping(task) };
        let tasks = node(NodeKind::Sequence(vec![task]));
        let play = node(NodeKind::Mapping(vec![
            (word("name"), word("Ansible Ad-Hoc")),
            (word("hosts"), word(wanted.pattern)),
            (word("gather_facts"), node(NodeKind::Scalar(Value::Bool(false)))),
            (word("tasks"), tasks),
        ]));
        let play = self.play(&play, folder, None, diagnostics);
        Playbook { path: folder.join("__adhoc_playbook__"), plays: play.into_iter().map(Arc::new).collect() }
    }

    /// The module with its arguments. One that nobody knows is a task that fails, as is one whose name is resolved when it runs.
    fn call_of(&self, module: &str, args: &Node) -> (Node, Node) {
        let is_name = module.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'));
        if self.has_action(module) || !is_name {
            return (word(module), args.clone());
        }
        let name = text(&Source::named("<CLI option '-m'>", module));
        let template = Value::Text(Text::trusted(format!("{{{{'{module}'}}}}"), Some(name.span.clone())));
        let name = Node { kind: NodeKind::Scalar(template), ..name };
        (word("action"), node(NodeKind::Mapping(vec![(word("module"), name)])))
    }
}

/// The task as Ansible writes it where it tells of a failure: a dict in Python's notation.
fn description(wanted: &AdHoc<'_>, args: &Node) -> String {
    let options: Map = if let Some(entries) = args.as_mapping() {
        entries.iter().filter_map(|(key, value)| Some((Key::from(key.as_str()?), value.to_value()))).collect()
    } else if let Some(text) = args.as_text()
        && let Ok(parsed) = args::parse(short_name(wanted.module), text, &args.span)
    {
        let options = parsed.options.into_iter().map(|(name, value)| (Key::from(&*name.value), value.value));
        options.chain(parsed.free_form.map(|text| (Key::from("_raw_params"), Value::Text(text.value)))).collect()
    } else {
        Map::new()
    };
    let task: Map = [
        ("action", Value::text(wanted.module)),
        ("args", Value::map(options)),
        ("timeout", Value::Int(wanted.timeout.into())),
        ("async_val", Value::Int(wanted.background.into())),
        ("poll", Value::Int(wanted.poll.into())),
    ]
    .into_iter()
    .map(|(key, value)| (Key::from(key), value))
    .collect();
    shown(&Value::map(task))
}

fn text(source: &Arc<Source>) -> Node {
    let span = Span::new(source, 0, source.text().len());
    Node { span: span.clone(), kind: NodeKind::Scalar(Value::Text(Text::trusted(source.text(), Some(span)))) }
}

fn word(word: &str) -> Node {
    text(&Source::named("<command line>", word))
}

fn number(number: u32) -> Node {
    node(NodeKind::Scalar(Value::Int(i64::from(number))))
}

fn node(kind: NodeKind) -> Node {
    let source = Source::named("<command line>", "");
    Node { span: Span::new(&source, 0, 0), kind }
}
