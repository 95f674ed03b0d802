//! One task: what its texts ask for, what is wrong with its arguments and keywords.

use std::collections::HashSet;

use super::reach::Reached;
use super::texts::{Texts, Undefined};
use super::{Name, arguments, files};
use crate::action;
use crate::playbook::{Keyword, Keywords, Loop, Meta, ModuleCall, Register, Task, Work};
use crate::source::{Diagnostic, Spanned};
use crate::template::{Engine, NameUse, Templar};
use crate::value::Value;

/// What was found in a task.
pub struct Findings {
    /// Certain mistakes.
    pub mistakes: Vec<Diagnostic>,
    /// Variables that must be there.
    pub names: Vec<NameUse>,
    /// Variables that may be undefined.
    pub guarded: HashSet<Name>,
    /// Files that are not there now.
    pub missing: Vec<files::Missing>,
    /// Whether the task ends something for a host where variables are not defined: what follows can rely on them.
    pub is_gate: bool,
}

/// Looks at a task.
pub fn inspect(engine: &Engine, reached: &Reached) -> Findings {
    let task = &reached.task;
    let mut texts = Texts::new(engine);
    let mut missing = Vec::new();
    keywords(task, &task.keywords, &mut texts);
    own(task, &mut texts);
    match &task.work {
        Work::Module(call) => module(task, call, &mut texts),
        Work::IncludeTasks(include) => texts.template(&include.file),
        Work::IncludeRole(include) => {
            texts.template(&include.name);
            let from = &include.from;
            [&from.tasks, &from.vars, &from.defaults, &from.handlers].into_iter().flatten().for_each(|name| texts.template(name));
        }
        Work::Meta(meta) => texts.mistakes.extend(Meta::mistake(meta)),
    }
    files::look(engine, task, &mut texts, &mut missing);
    texts.guards(&reached.guards);
    let is_gate = match &task.work {
        Work::Module(call) => matches!(&*call.name.short, "assert" | "fail"),
        Work::Meta(meta) => matches!(meta.value, Meta::EndBatch | Meta::EndHost | Meta::EndPlay | Meta::EndRole),
        Work::IncludeTasks(_) | Work::IncludeRole(_) => false,
    };
    Findings { mistakes: texts.mistakes, names: texts.names, guarded: texts.guarded, missing, is_gate }
}

/// Keywords whose constant value must be true or false, or a number.
const FLAGS: &[Keyword] = &[
    Keyword::AnyErrorsFatal,
    Keyword::Become,
    Keyword::CheckMode,
    Keyword::DelegateFacts,
    Keyword::Diff,
    Keyword::IgnoreErrors,
    Keyword::IgnoreUnreachable,
    Keyword::NoLog,
    Keyword::RunOnce,
];
const NUMBERS: &[Keyword] = &[Keyword::Port, Keyword::Throttle, Keyword::Timeout];
const TEXTS: &[Keyword] = &[
    Keyword::BecomeExe,
    Keyword::BecomeFlags,
    Keyword::BecomeMethod,
    Keyword::BecomeUser,
    Keyword::Connection,
    Keyword::DelegateTo,
    Keyword::Notify,
    Keyword::RemoteUser,
];

fn keywords(task: &Task, keywords: &Keywords, texts: &mut Texts<'_>) {
    keywords.when.iter().for_each(|condition| texts.condition(&condition.value, &condition.span));
    keywords.environment.iter().for_each(|written| texts.template(written));
    keywords.module_defaults.iter().for_each(|(_, written)| texts.templates(&written.value, &written.span, Undefined::Shown));
    keywords.vars.iter().for_each(|vars| texts.templates_of(vars, &task.span, Undefined::Shown));
    for keyword in FLAGS.iter().chain(NUMBERS).chain(TEXTS) {
        keywords.get(*keyword).into_iter().for_each(|written| texts.template(written));
    }
    for keyword in FLAGS {
        let is_wrong = |value: &Value| !value.is_null() && action::to_bool(value).is_none();
        texts.mistakes.extend(keywords.get(*keyword).and_then(|written| wrong_type(keyword.name(), written, "bool", is_wrong)));
    }
    for keyword in NUMBERS {
        texts
            .mistakes
            .extend(keywords.get(*keyword).and_then(|written| wrong_type(keyword.name(), written, "int", |value| !is_number(value))));
    }
}

/// Keywords that are the task's alone.
fn own(task: &Task, texts: &mut Texts<'_>) {
    for conditions in [&task.until, &task.changed_when, &task.failed_when, &task.loop_control.break_when] {
        conditions.iter().for_each(|condition| texts.condition(&condition.value, &condition.span));
    }
    for (name, kind, written) in [
        ("retries", "int", &task.retries),
        ("delay", "float", &task.delay),
        ("async", "int", &task.async_limit),
        ("poll", "int", &task.poll),
    ] {
        let Some(written) = written else { continue };
        texts.template(written);
        texts.mistakes.extend(wrong_type(name, written, kind, |value| !is_number(value)));
    }
    let control = &task.loop_control;
    for written in [&control.loop_var, &control.index_var, &control.pause, &control.extended, &control.extended_allitems] {
        written.iter().for_each(|written| texts.template(written));
    }
    control.label.iter().for_each(|label| texts.templates(&label.value, &label.span, Undefined::Shown));
    if let Some(looping) = &task.looping {
        texts.template(&looping.items);
        let items = &looping.items;
        let constant = !Templar::is_template(&items.value) && !matches!(items.value, Value::List(_));
        if looping.lookup.is_none() && constant {
            texts.mistakes.push(Loop::not_a_list(items, &items.value));
        }
    }
    if let Some(Register::Projection(names)) = &task.register {
        names.iter().for_each(|(_, value)| texts.expression(&value.value, &value.span, Undefined::Shown));
    }
}

fn module(_task: &Task, call: &ModuleCall, texts: &mut Texts<'_>) {
    let found = action::find(&call.name.short);
    for (option, written) in &call.args.options {
        if found.is_some_and(|action| action.is_expression(&option.value, &written.value)) {
            match (&*call.name.short, &written.value) {
                ("assert", Value::List(items)) => items.iter().for_each(|item| texts.condition(item, &written.span)),
                ("assert", condition) => texts.condition(condition, &written.span),
                // What is undefined is shown as such.
                _ => texts.expression(&written.value, &written.span, Undefined::Shown),
            }
        } else {
            texts.template(written);
        }
    }
    for text in call.args.free_form.iter().chain(&call.args.variables) {
        texts.templates(&Value::Text(text.value.clone()), &text.span, Undefined::Fails);
    }
    texts.mistakes.extend(arguments::mistakes(call));
}

fn is_number(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.as_str().trim().parse::<f64>().is_ok(),
        Value::List(_) | Value::Map(_) => false,
        _ => true,
    }
}

fn wrong_type(name: &str, written: &Spanned<Value>, kind: &str, is_wrong: impl Fn(&Value) -> bool) -> Option<Diagnostic> {
    if Templar::is_template(&written.value) || !is_wrong(&written.value) {
        return None;
    }
    let found = match &written.value {
        Value::Text(text) => format!("'{}'", text.as_str()),
        other => crate::template::print::value_to_text(other).as_str().to_owned(),
    };
    Some(written.error(format!("`{name}` is {found}, expected a value that can be converted to `{kind}`")))
}
