//! `validate_argument_spec`: checks variables against what a role or a play says of its arguments.

use driftless_modules::spec::{Kind, OptOf, TableOf};
use driftless_modules::{Json, JsonMap};

use super::{Action, Call, Done, Failure, Plan};
use crate::template::print::shown;
use crate::value::{Map, Value, from_json, to_json};

/// The action.
pub(super) struct ValidateArgumentSpec;

impl Action for ValidateArgumentSpec {
    fn names(&self) -> &'static [&'static str] {
        &["validate_argument_spec"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let args = Value::map(call.args.to_map());
        let Some(spec) = call.args.get("argument_spec") else {
            let message = format!("Task failed: \"argument_spec\" arg is required in args: {}", shown(&args));
            return Err(Failure::new(message));
        };
        let mapping = |name: &str, value: Option<&Value>| match value {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Map(map)) => Ok(Map::clone(map)),
            Some(other) => {
                Err(Failure::new(format!("Task failed: Incorrect type for {name}, expected dict and got {}", other.type_name()))
                    .at(call.args.error_at(name, "expected a dictionary")))
            }
        };
        let options = mapping("argument_spec", Some(spec))?;
        let provided = mapping("provided_arguments", call.args.get("provided_arguments"))?;
        let context = mapping("validate_args_context", call.args.get("validate_args_context"))?;
        let mut values = JsonMap::new();
        for name in options.keys().filter_map(|key| key.as_str()) {
            if let Some(value) = call.templar.get(name)? {
                values.insert(name.to_owned(), to_json(&value));
            }
        }
        values.extend(provided.iter().map(|(key, value)| (key.to_json_key(), to_json(value))));
        let worded = with_texts(&options);
        let tree = branches(&worded);
        let unknown = unknown_kinds(&options, &values);
        let errors = match table(&tree).check_as("", &values) {
            Ok(_) => Vec::new(),
            Err(errors) => errors,
        };
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("validate_args_context", Value::map(context));
        if errors.is_empty() && unknown.is_empty() {
            result.insert("msg", "The arg spec validation passed");
            return Ok(Plan::Done(Done::of(result)));
        }
        // What no option is called is named without a module.
        let text = |message: &str| message.strip_prefix("Unsupported parameters for () module: ").unwrap_or(message).to_owned();
        let messages: Vec<String> = errors.iter().map(|error| text(&error.message)).chain(unknown).collect();
        result.insert("msg", format!("Validation of arguments failed:\n{}", messages.join("\n")));
        result.insert("argument_errors", Value::list(messages.into_iter().map(Value::text).collect()));
        result.insert("argument_spec_data", Value::map(options));
        Err(Failure { result, diagnostics: Vec::new(), is_raised: false })
    }
}

/// An option as written, with its texts at hand.
struct Branch<'v> {
    name: &'v str,
    aliases: Vec<&'v str>,
    kind: Kind,
    elements: Option<Kind>,
    required: bool,
    default: Option<&'v Value>,
    choices: Vec<&'v str>,
    inner: Option<Vec<Branch<'v>>>,
}

/// The same options with choices that are texts.
fn with_texts(options: &Map) -> Map {
    let worded = |option: &Value| {
        let Value::Map(option) = option else { return option.clone() };
        let mut option = Map::clone(option);
        let choices = match option.get("choices") {
            Some(Value::Map(map)) => map.keys().map(|key| Value::text(key.to_json_key())).collect(),
            Some(Value::List(items)) => items.iter().map(|item| Value::text(shown(item))).collect(),
            _ => Vec::new(),
        };
        option.insert("choices", Value::list(choices));
        if let Some(inner) = option.get("options").and_then(Value::as_map).map(with_texts) {
            option.insert("options", Value::map(inner));
        }
        Value::map(option)
    };
    options.iter().map(|(name, option)| (name.clone(), worded(option))).collect()
}

fn branches(options: &Map) -> Vec<Branch<'_>> {
    options
        .iter()
        .filter_map(|(name, option)| {
            let get = |key: &str| option.get(key).filter(|value| !value.is_null());
            let kind = |key: &str| get(key).and_then(Value::as_str).map(kind_named);
            let texts = |key: &str| get(key).and_then(Value::as_list).into_iter().flatten().filter_map(Value::as_str).collect();
            Some(Branch {
                name: name.as_str()?,
                aliases: texts("aliases"),
                kind: kind("type").unwrap_or(Kind::Str),
                elements: kind("elements"),
                required: get("required").is_some_and(Value::truthy),
                default: get("default"),
                choices: texts("choices"),
                inner: get("options").and_then(Value::as_map).map(branches),
            })
        })
        .collect()
}

/// The same as a table.
fn table<'t>(tree: &'t [Branch<'t>]) -> TableOf<'t> {
    let option = |branch: &'t Branch<'t>| OptOf {
        name: branch.name,
        aliases: &branch.aliases,
        kind: branch.kind,
        elements: branch.elements,
        required: branch.required,
        default: branch.default.map(to_json),
        choices: &branch.choices,
        secret: false,
        suboptions: branch.inner.as_ref().map(|inner| table(inner)),
        doc: "",
    };
    TableOf { options: tree.iter().map(option).collect(), constraints: Vec::new() }
}

/// What is said of values whose options are of kinds that there are not.
fn unknown_kinds(options: &Map, values: &JsonMap) -> Vec<String> {
    let mut found = Vec::new();
    for (name, option) in options.iter().filter_map(|(name, option)| Some((name.as_str()?, option))) {
        let kind = |key: &str| option.get(key).and_then(Value::as_str).filter(|kind| !KINDS.contains(kind));
        let Some(value) = values.get(name).filter(|value| !value.is_null()) else { continue };
        let mut tell = |what: &str, value: &Json, kind: &str| {
            let found_type = from_json(value.clone()).type_name().to_owned();
            found.push(format!(
                "{what} '{name}' is of type {found_type} and we were unable to convert to {kind}: 'NoneType' object is not callable"
            ));
        };
        if let Some(kind) = kind("type") {
            tell("argument", value, kind);
        } else if let (Some(kind), Some(first)) = (kind("elements"), value.as_array().and_then(|items| items.first())) {
            tell("Elements value for option", first, kind);
        }
    }
    found
}

/// The kinds that options are of.
const KINDS: &[&str] = &["bits", "bool", "bytes", "dict", "float", "int", "json", "jsonarg", "list", "path", "raw", "str"];

fn kind_named(name: &str) -> Kind {
    match name {
        "bool" => Kind::Bool,
        "int" => Kind::Int,
        "float" => Kind::Float,
        "path" => Kind::Path,
        "list" => Kind::List,
        "dict" => Kind::Dict,
        "raw" => Kind::Raw,
        "json" | "jsonarg" => Kind::Json,
        "bytes" => Kind::Bytes,
        "bits" => Kind::Bits,
        _ => Kind::Str,
    }
}
