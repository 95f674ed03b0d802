//! The task debugger's language: what may be typed at its prompt, and what that changes. Knows no terminal and runs nothing.

use crate::template::print::repr;
use crate::value::{Key, Map, Value};

/// What a line asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// This is said, and the next line is read.
    Say(String),
    /// The next result.
    Continue,
    /// The task runs once more.
    Redo,
    /// The run ends.
    Quit,
}

/// One stay at the prompt: a task on a host, and what was changed of it.
pub(super) struct Debugger<'d> {
    /// The task's name.
    pub name: String,
    /// The host's name.
    pub host: String,
    /// The task's arguments.
    pub args: Map,
    /// Whether arguments were changed.
    pub changes_args: bool,
    /// Variables that were set.
    pub vars: Map,
    /// What the task came to.
    pub result: Map,
    /// A variable as the task sees it, not rendered.
    pub variable: &'d dyn Fn(&str) -> Option<Value>,
    /// All of them.
    pub all: &'d dyn Fn() -> Map,
    /// What an expression is worth beside these names.
    pub evaluate: &'d dyn Fn(&str, Map) -> Result<Value, String>,
}

const COMMANDS: &str = "
Documented commands (type help <topic>):
========================================
EOF  c  continue  h  help  p  pprint  q  quit  r  redo  u  update_task
";

impl Debugger<'_> {
    /// `[host] TASK: name (debug)> `
    pub(super) fn prompt(&self) -> String {
        format!("[{}] TASK: {} (debug)> ", self.host, self.name)
    }

    /// Does what one line says.
    pub(super) fn answer(&mut self, line: &str) -> Answer {
        let line = line.trim();
        let line = line.strip_prefix('?').map_or_else(|| line.to_owned(), |rest| format!("help {rest}"));
        let end = line.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').unwrap_or(line.len());
        let (word, rest) = (&line[..end], line[end..].trim());
        match word {
            "c" | "continue" => Answer::Continue,
            "r" | "redo" => Answer::Redo,
            "q" | "quit" | "EOF" => Answer::Quit,
            // What is changed holds at once, and arguments are rendered when the task runs.
            "u" | "update_task" => Answer::Say(String::new()),
            "h" | "help" => Answer::Say(help(rest)),
            "p" | "pprint" => Answer::Say(self.printed(rest)),
            _ if line.trim().is_empty() => Answer::Say(String::new()),
            _ => Answer::Say(self.statement(&line).unwrap_or_else(|error| error)),
        }
    }

    /// `p expression`.
    fn printed(&self, text: &str) -> String {
        match text {
            "host" => format!("{}\n", self.host),
            "task" => format!("TASK: {}\n", self.name),
            _ => match self.value(text) {
                Ok(value) => {
                    let mut out = String::new();
                    pretty(&mut out, &value, 0, 0);
                    out + "\n"
                }
                Err(error) => error,
            },
        }
    }

    /// `path = expression`, `del path`, or an expression that is shown.
    fn statement(&mut self, text: &str) -> Result<String, String> {
        if let Some(path) = text.strip_prefix("del ") {
            let (root, steps) = parse_path(path.trim()).ok_or_else(|| raised("SyntaxError", "invalid syntax"))?;
            self.change(&root, &steps, None)?;
            return Ok(String::new());
        }
        if let Some((target, value)) = assignment(text) {
            let (root, steps) = parse_path(target).ok_or_else(|| raised("SyntaxError", "cannot assign to expression"))?;
            let value = self.value(value)?;
            self.change(&root, &steps, Some(value))?;
            return Ok(String::new());
        }
        match self.value(text)? {
            Value::Null => Ok(String::new()),
            value => Ok(repr(&value) + "\n"),
        }
    }

    fn value(&self, text: &str) -> Result<Value, String> {
        match parse_path(text) {
            Some((root, steps)) => self.at_path(&root, &steps),
            None => (self.evaluate)(text, self.names()).map_err(|message| raised("SyntaxError", &message)),
        }
    }

    fn at_path(&self, root: &str, steps: &[Step]) -> Result<Value, String> {
        // One variable is looked up without the others.
        if let ("task_vars", [Step::Item(Value::Text(name)), rest @ ..]) = (root, steps) {
            let value = self.vars.get(name.as_str()).cloned().or_else(|| (self.variable)(name.as_str()));
            let value = value.ok_or_else(|| raised_value("KeyError", &Value::text(name.as_str())))?;
            return walk(value, rest);
        }
        let names = self.names();
        let value = names.get(root).cloned().ok_or_else(|| raised("NameError", &format!("name '{root}' is not defined")))?;
        walk(value, steps)
    }

    /// `task`, `task_vars`, `host`, `result`.
    fn names(&self) -> Map {
        let (mut task, mut host, mut result) = (Map::new(), Map::new(), Map::new());
        task.insert("name", self.name.as_str());
        task.insert("args", plain(&Value::map(self.args.clone())));
        host.insert("name", self.host.as_str());
        result.insert("_result", plain(&Value::map(self.result.clone())));
        result.extend(self.result.iter().map(|(key, value)| (key.clone(), plain(value))));
        let mut vars = (self.all)();
        vars.extend(self.vars.iter().map(|(key, value)| (key.clone(), value.clone())));
        let mut names = Map::new();
        names.insert("task", Value::map(task));
        names.insert("host", Value::map(host));
        names.insert("result", Value::map(result));
        names.insert("task_vars", plain(&Value::map(vars)));
        names
    }

    fn change(&mut self, root: &str, steps: &[Step], to: Option<Value>) -> Result<(), String> {
        match (root, steps) {
            ("task", [Step::Attribute(args), rest @ ..]) if args == "args" => {
                let mut whole = Value::map(self.args.clone());
                put(&mut whole, rest, to)?;
                let Value::Map(args) = whole else { return Err(raised("TypeError", "arguments are a dict")) };
                self.args = Map::clone(&args);
                self.changes_args = true;
                Ok(())
            }
            ("task_vars", [Step::Item(Value::Text(name)), rest @ ..]) => {
                if rest.is_empty() && to.is_none() {
                    return Err(raised("TypeError", "a variable can be changed, but not be taken away"));
                }
                let mut value = match rest {
                    [] => Value::Null,
                    _ => self.at_path(root, &steps[..1])?,
                };
                put(&mut value, rest, to)?;
                self.vars.insert(name.as_str(), value);
                Ok(())
            }
            _ => Err(raised("TypeError", "only task.args and entries of task_vars can be changed")),
        }
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// `.name`
    Attribute(String),
    /// `['name']`, `[0]`
    Item(Value),
}

/// `name.attribute['key'][0]`; `None` where it is another expression.
fn parse_path(text: &str) -> Option<(String, Vec<Step>)> {
    let name_end = |text: &str| text.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(text.len());
    let end = name_end(text);
    let root = text[..end].to_owned();
    if root.is_empty() || root.starts_with(|first: char| first.is_ascii_digit()) || matches!(&*root, "True" | "False" | "None") {
        return None;
    }
    let (mut rest, mut steps) = (&text[end..], Vec::new());
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = name_end(after);
            steps.push(Step::Attribute(after[..end].to_owned()));
            rest = &after[end..];
            if end == 0 {
                return None;
            }
        } else {
            let (item, after) = rest.strip_prefix('[')?.split_once(']')?;
            let item = item.trim();
            let quoted = |sign: char| item.strip_prefix(sign)?.strip_suffix(sign).filter(|inner| !inner.contains([sign, '\\']));
            let key = match quoted('\'').or_else(|| quoted('"')) {
                Some(name) => Value::text(name),
                None => Value::Int(item.parse().ok()?),
            };
            steps.push(Step::Item(key));
            rest = after;
        }
    }
    Some((root, steps))
}

/// `target = value`, and no comparison.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let at = text.find('=')?;
    let (target, value) = (text[..at].trim(), &text[at + 1..]);
    let is_other = value.starts_with('=') || target.ends_with(['!', '<', '>', '+', '-', '*', '/', '%', '|', '&']) || target.contains('(');
    (!is_other).then_some((target, value.trim()))
}

fn walk(mut value: Value, steps: &[Step]) -> Result<Value, String> {
    for step in steps {
        let found = match (&value, step) {
            (Value::Map(map), Step::Attribute(name)) => {
                map.get(name.as_str()).cloned().ok_or_else(|| raised("AttributeError", &format!("'dict' object has no attribute '{name}'")))
            }
            (Value::Map(map), Step::Item(key)) => map.get_key(key).cloned().ok_or_else(|| raised_value("KeyError", key)),
            (Value::List(items), Step::Item(Value::Int(index))) => {
                at(items.len(), *index).map(|index| items[index].clone()).ok_or_else(|| raised("IndexError", "list index out of range"))
            }
            (other, Step::Attribute(name)) => {
                Err(raised("AttributeError", &format!("'{}' object has no attribute '{name}'", other.type_name())))
            }
            (other, Step::Item(_)) => Err(raised("TypeError", &format!("'{}' object is not subscriptable", other.type_name()))),
        };
        value = found?;
    }
    Ok(value)
}

fn put(value: &mut Value, steps: &[Step], to: Option<Value>) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *value = to.unwrap_or(Value::Null);
        return Ok(());
    };
    match (&*value, step) {
        (Value::Map(map), Step::Item(name)) => {
            let mut map = Map::clone(map);
            let key = Key::new(name.clone()).ok_or_else(|| raised("TypeError", "unhashable key"))?;
            if rest.is_empty() && to.is_none() {
                map.remove_key(&key).ok_or_else(|| raised_value("KeyError", name))?;
            } else {
                let mut inner = match rest {
                    [] => Value::Null,
                    _ => map.get_key(name).cloned().ok_or_else(|| raised_value("KeyError", name))?,
                };
                put(&mut inner, rest, to)?;
                map.insert(key, inner);
            }
            *value = Value::map(map);
            Ok(())
        }
        (Value::List(items), Step::Item(Value::Int(index))) => {
            let mut items = items.to_vec();
            let index = at(items.len(), *index).ok_or_else(|| raised("IndexError", "list assignment index out of range"))?;
            if rest.is_empty() && to.is_none() {
                items.remove(index);
            } else {
                put(&mut items[index], rest, to)?;
            }
            *value = Value::list(items);
            Ok(())
        }
        (other, _) => Err(raised("TypeError", &format!("'{}' object does not support item assignment", other.type_name()))),
    }
}

/// Python's index, which may count from the end.
fn at(length: usize, index: i64) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { index + length } else { index };
    (0..length).contains(&index).then(|| usize::try_from(index).ok())?
}

/// The same without anything that would be rendered.
fn plain(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.clone().into_untrusted()),
        Value::List(items) => Value::list(items.iter().map(plain).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        other => other.clone(),
    }
}

fn raised(kind: &str, message: &str) -> String {
    format!("***{kind}:{kind}({})\n", repr(&Value::text(message)))
}

fn raised_value(kind: &str, value: &Value) -> String {
    format!("***{kind}:{kind}({})\n", repr(value))
}

/// As Python's `pprint`: keys sorted, an entry a line where 80 columns do not hold all.
fn pretty(out: &mut String, value: &Value, indent: usize, behind: usize) {
    let value = &sorted(value);
    let line = repr(value);
    let fits = line.chars().count() + indent + behind <= 80;
    let separator = format!(",\n{}", " ".repeat(indent + 1));
    match value {
        Value::Map(map) if !fits => {
            out.push('{');
            for (place, (key, item)) in map.iter().enumerate() {
                let key = repr(key.value());
                out.push_str(if place > 0 { &separator } else { "" });
                out.push_str(&format!("{key}: "));
                pretty(out, item, indent + key.chars().count() + 3, if place + 1 == map.len() { behind + 1 } else { 1 });
            }
            out.push('}');
        }
        Value::List(items) if !fits => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { &separator } else { "" });
                pretty(out, item, indent + 1, if place + 1 == items.len() { behind + 1 } else { 1 });
            }
            out.push(']');
        }
        _ => out.push_str(&line),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut entries: Vec<(Key, Value)> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by_key(|(key, _)| key.to_json_key());
            Value::map(entries.into_iter().collect())
        }
        Value::List(items) => Value::list(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn help(topic: &str) -> String {
    let text = match topic {
        "" => return format!("{COMMANDS}\n"),
        "c" | "continue" => "Continue to next result",
        "p" | "pprint" => "Pretty Print",
        "u" | "update_task" => "Recreate the task from ``task._ds``, and template with updated ``task_vars``",
        "r" | "redo" => "Schedule task for re-execution. The re-execution may not be the next result",
        "q" | "quit" | "EOF" => "Quit",
        "h" | "help" => "List available commands with \"help\" or detailed help with \"help cmd\".",
        other => return format!("*** No help on {other}\n"),
    };
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line typed, and what it makes.
    fn check(lines: &[(&str, &str)]) {
        let mut args = Map::new();
        args.insert("msg", "{{ nope }}");
        args.insert("many", Value::list(vec![Value::Int(1), Value::Int(2)]));
        let mut result = Map::new();
        result.insert("failed", true);
        let mut debugger = Debugger {
            name: "say it".to_owned(),
            host: "web1".to_owned(),
            args,
            changes_args: false,
            vars: Map::new(),
            result,
            variable: &|name| (name == "wrong").then_some(Value::Int(1)),
            all: &|| [(Key::from("wrong"), Value::Int(1))].into_iter().collect(),
            evaluate: &|text, _| match text {
                "1+1" => Ok(Value::Int(2)),
                _ => text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).map(Value::text).ok_or_else(|| "invalid".to_owned()),
            },
        };
        assert_eq!(debugger.prompt(), "[web1] TASK: say it (debug)> ");
        for (line, expected) in lines {
            let found = match debugger.answer(line) {
                Answer::Say(text) => text,
                other => format!("{other:?}"),
            };
            assert_eq!(found, *expected, "{line}");
        }
    }

    #[test]
    fn lines_are_those_of_ansible() {
        check(&[
            ("p task", "TASK: say it\n"),
            ("p task.args", "{'many': [1, 2], 'msg': '{{ nope }}'}\n"),
            ("p task.args['msg']", "'{{ nope }}'\n"),
            ("p host", "web1\n"),
            ("p host.name", "'web1'\n"),
            ("p task_vars['wrong']", "1\n"),
            ("p task_vars[\"nope\"]", "***KeyError:KeyError('nope')\n"),
            ("p result._result", "{'failed': True}\n"),
            ("p nope", "***NameError:NameError(\"name 'nope' is not defined\")\n"),
            ("foo", "***NameError:NameError(\"name 'foo' is not defined\")\n"),
            ("p 1+1", "2\n"),
            ("", ""),
            ("task.args['msg'] = 'now'", ""),
            ("task.args['many'][1] = 'x'", ""),
            ("task.args[\"msg\"]", "'now'\n"),
            ("del task.args['msg']", ""),
            ("p task.args", "{'many': [1, 'x']}\n"),
            ("del task.args['msg']", "***KeyError:KeyError('msg')\n"),
            ("task_vars['new'] = 'n'", ""),
            ("p task_vars", "{'new': 'n', 'wrong': 1}\n"),
            ("host = 'x'", "***TypeError:TypeError('only task.args and entries of task_vars can be changed')\n"),
            ("help q", "Quit\n"),
            ("?nope", "*** No help on nope\n"),
            ("u", ""),
            ("r", "Redo"),
            ("continue", "Continue"),
            ("q", "Quit"),
        ]);
    }

    #[test]
    fn wide_values_have_an_entry_a_line() {
        let mut map = Map::new();
        map.insert("b", "x".repeat(60));
        map.insert("a", Value::list(vec![Value::text("y".repeat(60)), Value::Int(1)]));
        let mut out = String::new();
        pretty(&mut out, &Value::map(map), 0, 0);
        assert_eq!(out, format!("{{'a': ['{}', 1],\n 'b': '{}'}}", "y".repeat(60), "x".repeat(60)));
    }
}
