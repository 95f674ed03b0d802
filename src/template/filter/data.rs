//! Filters that write and read JSON and YAML.

use std::sync::Arc;

use super::{filter, refuse};
use crate::source::Source;
use crate::template::python::json::{JsonOptions, dumps, loads};
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::{Key, Text, Value};
use crate::yaml::{self, EmitOptions, FlowStyle, Node};

use Param::{Optional, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("from_json", &[RestNamed], from_json),
    filter("from_yaml", &[], from_yaml),
    filter("from_yaml_all", &[], from_yaml_all),
    filter("pprint", &[], pprint),
    filter("to_json", &[RestNamed], |evaluator, value, arguments| to_json(evaluator, value, arguments, JsonOptions::default())),
    filter("to_nice_json", &[RestNamed], |evaluator, value, arguments| {
        let nice = JsonOptions { indent: Some("    ".to_owned()), sort_keys: true, ..JsonOptions::default() };
        to_json(evaluator, value, arguments, nice)
    }),
    filter("to_nice_yaml", &[Optional("indent"), RestNamed], |evaluator, value, arguments| {
        let indent = arguments.int_or(0, 4)?;
        let nice = EmitOptions { indent: i32::try_from(indent).ok(), flow: FlowStyle::Block, ..EmitOptions::default() };
        to_yaml(evaluator, value, arguments, nice)
    }),
    filter("to_yaml", &[RestNamed], |evaluator, value, arguments| to_yaml(evaluator, value, arguments, EmitOptions::default())),
    filter("tojson", &[Optional("indent")], tojson),
];

/// A text made of `value`: secret where one of its texts is.
fn made(evaluator: &Evaluator, value: &Value, text: String) -> Result<Val> {
    evaluator.charge(text.len())?;
    let text = Text::from(text);
    Ok(Val::from(if has_secret(value) { text.into_secret() } else { text }))
}

fn has_secret(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_secret(),
        Value::Bytes(bytes) => bytes.is_secret(),
        Value::List(items) => items.iter().any(has_secret),
        Value::Map(map) => map.iter().any(|(key, value)| has_secret(key.value()) || has_secret(value)),
        _ => false,
    }
}

/// Data read from `source`: secret where it is.
fn read(source: &Text, value: Value) -> Val {
    Val::Plain(if source.is_secret() { value.map_texts(&|text| text.clone().into_secret()) } else { value })
}

fn indention(evaluator: &Evaluator, val: &Val) -> Result<Option<String>> {
    match val {
        val if val.is_none() => Ok(None),
        Val::Plain(Value::Text(text)) => Ok(Some(text.as_str().to_owned())),
        val => {
            let count = val.as_int().ok_or_else(|| TemplateError::plugin(format!("`indent` must be a number, not {}", val.type_name())))?;
            let count = usize::try_from(count).unwrap_or(0).min(1000);
            evaluator.charge(count)?;
            Ok(Some(" ".repeat(count)))
        }
    }
}

fn to_json(evaluator: &Evaluator, value: &Val, arguments: &Bound, mut options: JsonOptions) -> Result<Val> {
    for (name, val) in &arguments.named {
        match &**name {
            "indent" => options.indent = indention(evaluator, val)?,
            "sort_keys" => options.sort_keys = evaluator.truthy(val)?,
            "ensure_ascii" => options.ensure_ascii = evaluator.truthy(val)?,
            "separators" => {
                let parts = if val.is_none() { Vec::new() } else { evaluator.items(val)? };
                options.separators = match parts.as_slice() {
                    [] => None,
                    [item, key] => Some((evaluator.text(item)?.as_str().to_owned(), evaluator.text(key)?.as_str().to_owned())),
                    _ => return refuse(format!("too many values to unpack (expected 2, got {})", parts.len())),
                };
            }
            // No value of ours is circular, every key can be written, and vaulted or unsafe texts are plain ones.
            "check_circular" | "skipkeys" | "vault_to_text" | "preprocess_unsafe" | "allow_nan" => {}
            "default" | "cls" | "profile" => return refuse(format!("the option `{name}` of JSON filters is not supported yet")),
            other => return refuse(format!("JSONEncoder.__init__() got an unexpected keyword argument '{other}'")),
        }
    }
    let value = evaluator.value(&listed(evaluator, value)?)?;
    if let Some(wrong) = no_json(&value) {
        return refuse(match wrong {
            NoJson::Value(kind) => format!("Object of type '{kind}' is not JSON serializable by the 'tagless' profile."),
            NoJson::Key(kind) => format!("Key of type '{kind}' is not JSON serializable by the 'tagless' profile."),
        });
    }
    made(evaluator, &value, dumps(&value, &options))
}

/// What JSON has no words for.
enum NoJson {
    Value(&'static str),
    Key(&'static str),
}

fn no_json(value: &Value) -> Option<NoJson> {
    match value {
        Value::Bytes(_) => Some(NoJson::Value(value.type_name())),
        Value::List(items) => items.iter().find_map(no_json),
        Value::Map(map) => map.iter().find_map(|(key, value)| match key.value() {
            Value::Bytes(_) | Value::Date(_) | Value::DateTime(..) => Some(NoJson::Key(key.value().type_name())),
            _ => no_json(value),
        }),
        _ => None,
    }
}

/// The first date, where those have no words either.
fn no_date(value: &Value) -> Option<NoJson> {
    match value {
        Value::Date(_) | Value::DateTime(..) => Some(NoJson::Value(value.type_name())),
        Value::List(items) => items.iter().find_map(no_date),
        Value::Map(map) => map.values().find_map(no_date),
        _ => None,
    }
}

/// The types of two keys of one map that have no order.
fn unordered_keys(value: &Value) -> Option<(&'static str, &'static str)> {
    match value {
        Value::List(items) => items.iter().find_map(unordered_keys),
        Value::Map(map) => {
            let mut keys = map.keys().map(Key::value);
            let first = keys.next()?;
            let other = keys.find(|key| key.compare(first).is_none());
            other.map(|key| (key.type_name(), first.type_name())).or_else(|| map.values().find_map(unordered_keys))
        }
        _ => None,
    }
}

/// A range as the list that it is.
fn listed(evaluator: &Evaluator, value: &Val) -> Result<Val> {
    match value {
        Val::Range(_) => Ok(Val::list(evaluator.items(value)?)),
        other => Ok(other.clone()),
    }
}

fn tojson(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let indent = arguments.get(0).map_or(Ok(None), |val| indention(evaluator, val))?;
    if let Val::Range(_) = value {
        return refuse("Object of type range is not JSON serializable");
    }
    let value = evaluator.value(value)?;
    if let Some(NoJson::Value(kind) | NoJson::Key(kind)) = no_json(&value).or_else(|| no_date(&value)) {
        return refuse(format!("Object of type {kind} is not JSON serializable"));
    }
    if let Some((left, right)) = unordered_keys(&value) {
        return refuse(format!("'<' not supported between instances of '{left}' and '{right}'"));
    }
    let text = dumps(&value, &JsonOptions { indent, sort_keys: true, html: true, ..JsonOptions::default() });
    made(evaluator, &value, text).map(|made| made.as_text().map(|text| Val::from(text.clone().into_markup())).unwrap_or(made))
}

fn from_json(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if let Some((name, _)) = arguments.named.iter().find(|(name, _)| &**name != "profile") {
        return refuse(format!("from_json() got an unexpected keyword argument '{name}'"));
    }
    let decoded = value.as_bytes().map(|_| evaluator.decoded(value)).transpose()?;
    let Some(text) = value.as_text().or(decoded.as_ref()) else {
        return refuse(format!("the JSON object must be str, bytes or bytearray, not {}", value.type_name()));
    };
    match loads(text.as_str()) {
        Ok(value) => Ok(read(text, value)),
        Err(message) => refuse(message),
    }
}

fn yaml_documents(text: &Text) -> Result<Vec<Node>> {
    yaml::load_foreign(&Source::named("<unicode string>", text.as_str())).or_else(refuse)
}

/// What was read by a template is nobody's template.
fn plain(node: &Node) -> Value {
    node.to_value().map_texts(&|text| Text::new(Arc::clone(text.chars())))
}

fn from_yaml(_: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else { return Ok(value.clone()) };
    let documents = yaml_documents(text)?;
    if let [first, _, ..] = documents.as_slice() {
        let (line, column) = first.span.line_column();
        let until = first.span.end();
        let marker = text.as_str()[until..].find("---").map_or(until, |at| until + at);
        let (next_line, next_column) = first.span.source().line_column(marker);
        return refuse(format!(
            "expected a single document in the stream\n  in \"<unicode string>\", line {line}, column {column}\nbut found another document\n  in \"<unicode string>\", line {next_line}, column {next_column}"
        ));
    }
    Ok(read(text, documents.first().map(plain).unwrap_or_default()))
}

fn from_yaml_all(_: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    match value.as_text() {
        Some(text) => Ok(read(text, Value::list(yaml_documents(text)?.iter().map(plain).collect()))),
        None if value.is_none() => Ok(Val::list(Vec::new())),
        None => Ok(value.clone()),
    }
}

fn to_yaml(evaluator: &Evaluator, value: &Val, arguments: &Bound, mut options: EmitOptions) -> Result<Val> {
    let number = |val: &Val| val.as_int().map(|number| i32::try_from(number).unwrap_or(i32::MAX));
    for (name, val) in &arguments.named {
        match &**name {
            "indent" => options.indent = number(val),
            "width" => options.width = number(val),
            "sort_keys" => options.sort_keys = evaluator.truthy(val)?,
            "explicit_start" => options.explicit_start = evaluator.truthy(val)?,
            "explicit_end" => options.explicit_end = evaluator.truthy(val)?,
            "canonical" => options.canonical = evaluator.truthy(val)?,
            "line_break" => options.line_break = val.as_str().map(str::to_owned),
            "default_style" => options.style = val.as_str().and_then(|style| style.chars().next()),
            "default_flow_style" => {
                options.flow = match val {
                    val if val.is_none() => FlowStyle::Auto,
                    val if evaluator.truthy(val)? => FlowStyle::Flow,
                    _ => FlowStyle::Block,
                }
            }
            "allow_unicode" => return refuse("yaml.dump() got multiple values for keyword argument 'allow_unicode'"),
            "dump_vault_tags" | "vault_behavior" => {}
            "version" | "tags" | "encoding" => return refuse(format!("the option `{name}` of YAML filters is not supported yet")),
            other => return refuse(format!("dump_all() got an unexpected keyword argument '{other}'")),
        }
    }
    let value = evaluator.value(value)?;
    match yaml::emit(&value, &options) {
        Ok(text) => made(evaluator, &value, text),
        Err(message) => refuse(message),
    }
}

/// Python's `pprint` where everything fits on one line; longer data is not broken.
fn pprint(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    evaluator.repr(value).map(Val::from)
}
