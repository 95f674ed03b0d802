//! `ansible_failed_task`: a task that failed as its `rescue` sees it, with all its keywords.

use std::sync::Arc;

use super::Runner;
use crate::playbook::{Keyword, Register};
use crate::source::Spanned;
use crate::template::{Rendered, Templar};
use crate::value::{Key, Map, Value};

impl Runner<'_> {
    /// The task, with the arguments that its module had. What cannot be rendered, or only with an item, is as written: it may
    /// have a value where it is read.
    pub(super) fn failed_task(&self, args: Option<Map>) -> Map {
        let task = &self.job.task;
        let templar = self.templar(&self.job.stack.clone().reached(Arc::clone(&self.job.reach)));
        let is_loop = task.looping.is_some();
        let rendered = |value: &Value| match value {
            value if is_loop || !holds_template(value) => value.clone(),
            value => match templar.render(value) {
                Ok(Rendered::Value(value)) => value,
                Ok(Rendered::Omit) => Value::Null,
                Err(_) => value.clone(),
            },
        };
        let said = |keyword: Keyword| task.keywords.get(keyword).map(|written| rendered(&written.value));
        let or_null = |keyword: Keyword| said(keyword).unwrap_or_default();
        let own = |written: &Option<Spanned<Value>>, default: Value| written.as_ref().map_or(default, |written| rendered(&written.value));
        // A task without a loop is brought into its final form before it runs; of one with a loop only its items are.
        let conditions = |written: &[Spanned<Value>]| match written {
            [one] if is_loop => one.value.clone(),
            all => Value::list(values(all)),
        };
        let seconds = |value: Value| match value.as_int().filter(|_| !is_loop) {
            #[expect(clippy::cast_precision_loss, reason = "nobody waits that long")]
            Some(number) => Value::Float(number as f64),
            None => value,
        };
        let listed_if_final = |value: Value| if is_loop || value.is_null() { value } else { Value::list(listed(value)) };
        let (defaults, shared) = (&self.shared.defaults, &self.shared.tasks);

        let mut map = Map::new();
        let mut set = |name: &str, value: Value| {
            map.insert(name, value);
        };
        set("delegate_to", or_null(Keyword::DelegateTo));
        set("delegate_facts", or_null(Keyword::DelegateFacts));
        set("notify", listed_if_final(or_null(Keyword::Notify)));
        set("collections", Value::list(task.keywords.collections().into_iter().map(Value::from).collect()));
        set("tags", Value::list(task.keywords.tags.iter().map(|tag| rendered(&tag.value)).flat_map(listed).collect()));
        set("when", Value::list(values(&task.keywords.when)));
        set("name", Value::text(Arc::clone(&self.job.info.own_name)));
        set(
            "connection",
            plugin(
                said(Keyword::Connection)
                    .or_else(|| templar.get("ansible_connection").ok().flatten())
                    .unwrap_or_else(|| Value::text(&*defaults.plugin)),
            ),
        );
        set("port", or_null(Keyword::Port));
        set("remote_user", or_null(Keyword::RemoteUser));
        let around = task.context.keywords.vars.len();
        let vars = task.keywords.vars.iter().skip(around).flat_map(|vars| vars.iter());
        set("vars", rendered(&Value::map(vars.map(|(key, value)| (key.clone(), value.clone())).collect())));
        set("module_defaults", Value::list(task.keywords.module_defaults.iter().map(|(name, value)| pair(&name.value, value)).collect()));
        let environment: Vec<Value> = values(&task.keywords.environment).iter().map(&rendered).flat_map(listed).collect();
        set("environment", Value::list(if is_loop { environment } else { merged(&environment) }));
        set("no_log", said(Keyword::NoLog).unwrap_or(Value::Bool(shared.no_log)));
        set("run_once", or_null(Keyword::RunOnce));
        set("ignore_errors", said(Keyword::IgnoreErrors).unwrap_or(Value::Bool(false)));
        set("ignore_unreachable", said(Keyword::IgnoreUnreachable).unwrap_or(Value::Bool(false)));
        set("check_mode", said(Keyword::CheckMode).unwrap_or(Value::Bool(self.job.check)));
        set("diff", said(Keyword::Diff).unwrap_or(Value::Bool(self.job.diff)));
        set("any_errors_fatal", said(Keyword::AnyErrorsFatal).unwrap_or(Value::Bool(false)));
        set("throttle", said(Keyword::Throttle).unwrap_or(Value::Int(0)));
        set("timeout", said(Keyword::Timeout).unwrap_or(Value::Int(shared.timeout)));
        set("debugger", or_null(Keyword::Debugger));
        set("become", said(Keyword::Become).unwrap_or(Value::Bool(defaults.becomes)));
        set("become_method", said(Keyword::BecomeMethod).unwrap_or_else(|| Value::text(&*defaults.become_method)));
        set("become_user", or_null(Keyword::BecomeUser));
        set("become_flags", or_null(Keyword::BecomeFlags));
        set("become_exe", or_null(Keyword::BecomeExe));
        set("args", args.map_or_else(|| rendered(&Value::map(task.work.args())), Value::map));
        set("action", Value::text(task.action_name()));
        let limit = own(&task.async_limit, Value::Int(0));
        set("async_val", limit.clone());
        set("async", limit);
        set("changed_when", conditions(&task.changed_when));
        set("delay", seconds(own(&task.delay, Value::Int(5))));
        set("failed_when", conditions(&task.failed_when));
        set("loop", task.looping.as_ref().map_or(Value::Null, |looping| looping.items.value.clone()));
        let control = &task.loop_control;
        let mut controls = Map::new();
        controls.insert("loop_var", own(&control.loop_var, Value::text("item")));
        controls.insert("index_var", own(&control.index_var, Value::Null));
        controls.insert("label", own(&control.label, Value::Null));
        controls.insert("pause", own(&control.pause, Value::Float(0.0)));
        controls.insert("extended", own(&control.extended, Value::Null));
        controls.insert("extended_allitems", own(&control.extended_allitems, Value::Bool(true)));
        controls.insert("break_when", conditions(&control.break_when));
        set("loop_control", Value::map(controls));
        set("poll", own(&task.poll, Value::Int(shared.poll)));
        set("register", registers(task.register.as_ref()));
        set("retries", own(&task.retries, Value::Null));
        set("until", conditions(&task.until));
        let lookup = task.looping.as_ref().and_then(|looping| looping.lookup.as_ref());
        set("loop_with", lookup.map_or(Value::Null, |lookup| Value::text(&*lookup.value)));
        set("_resolved_action", Value::text(task.qualified_action()));
        map
    }
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(holds_template),
        Value::Map(map) => map.values().any(holds_template),
        one => Templar::is_template(one),
    }
}

fn values(written: &[Spanned<Value>]) -> Vec<Value> {
    written.iter().map(|written| written.value.clone()).collect()
}

/// The items of a list, or the one value.
fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        one => vec![one],
    }
}

/// Maps as one, later entries winning.
fn merged(maps: &[Value]) -> Vec<Value> {
    let mut all = Map::new();
    for map in maps.iter().filter_map(Value::as_map) {
        all.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    if all.is_empty() { Vec::new() } else { vec![Value::map(all)] }
}

fn pair(name: &str, written: &Spanned<Value>) -> Value {
    let name = if name.contains(['.', '/']) { name.to_owned() } else { format!("ansible.builtin.{name}") };
    Value::map([(Key::from(name), written.value.clone())].into_iter().collect())
}

/// A connection's name in full.
fn plugin(name: Value) -> Value {
    match name.as_str() {
        Some(short) if !short.contains(['.', '{']) => Value::text(format!("ansible.builtin.{short}")),
        _ => name,
    }
}

fn registers(register: Option<&Register>) -> Value {
    let names: Map = match register {
        None => return Value::Null,
        Some(Register::Name(name)) => [(Key::from(&*name.value), Value::text("_task.polymorphic_result"))].into_iter().collect(),
        Some(Register::Projection(all)) => all.iter().map(|(name, value)| (Key::from(&*name.value), value.value.clone())).collect(),
    };
    Value::map(names)
}
