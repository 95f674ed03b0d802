//! Lookups: families of functions, each with its table, sorted by name; and how templates and `with_…` loops call them.

mod collection;
pub(super) mod file;
mod password;
mod program;
mod sequence;
mod table;
mod url;
mod variable;

pub use file::escaped;

use super::{Arguments, ErrorKind, Evaluator, Lookup, OMITTED, Options, Result, Templar, TemplateError, Undefined, Val};
use crate::template::python::shlex;
use crate::value::{Text, Value};

/// All families.
pub const LOOKUPS: &[&[Lookup]] = &[
    collection::LOOKUPS,
    file::LOOKUPS,
    password::LOOKUPS,
    program::LOOKUPS,
    sequence::LOOKUPS,
    table::LOOKUPS,
    url::LOOKUPS,
    variable::LOOKUPS,
];

/// The global `query`: all results as a list.
pub fn query(evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
    run(evaluator, arguments, Form::List)
}

/// The global `lookup`: one result as it is, several texts joined by commas.
pub fn lookup(evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
    run(evaluator, arguments, Form::Joined)
}

/// The items of a loop `with_NAME: terms`, not yet rendered: the lookup's results, whose texts are nobody's templates unless they are
/// the terms' own.
pub fn run_loop(name: &str, terms: &Value, templar: &Templar) -> Result<Vec<Value>> {
    let evaluator = templar.evaluator();
    let lookup = evaluator.find_lookup(name)?;
    let rendered = match (terms, lookup.name) {
        // What is undefined is one candidate less.
        (Value::List(items), "first_found") => {
            let mut terms = Vec::new();
            for item in items.iter() {
                match evaluator.render(item).and_then(|val| evaluator.value(&val)) {
                    Ok(value) => terms.push(Val::Plain(value)),
                    Err(error) if error.is_undefined() => {}
                    Err(error) => return Err(error),
                }
            }
            Val::list(terms)
        }
        _ => evaluator.render(terms)?,
    };
    match &rendered {
        Val::Undefined(undefined) => return Err(undefined.error()),
        Val::Omit => return Err(TemplateError::new(ErrorKind::Omitted, OMITTED)),
        _ => {}
    }
    let terms = match &rendered {
        list if list.is_list() => evaluator.items(list)?,
        // A dict is one term, as a text is.
        single => vec![single.clone()],
    };
    let results = (lookup.run)(evaluator, &terms, &Options::default()).map_err(|error| error.of_plugin("lookup", name))?;
    results.iter().filter_map(|val| evaluator.finish(val).transpose()).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Joined,
    List,
}

/// The name of a lookup as it was given.
fn plugin_name(evaluator: &Evaluator, given: &Val) -> Result<Text> {
    let why = match given {
        Val::Undefined(undefined) => return Err(undefined.error()),
        Val::Plain(Value::Text(name)) if !name.as_str().is_empty() => return Ok(name.clone()),
        Val::Plain(Value::Text(_)) => "A non-empty plugin name is required.".to_owned(),
        list if list.is_list() || list.is_mapping() => format!("unhashable type: '{}'", list.type_name()),
        other => format!("unsupported type <class '{}'>", other.type_name()),
    };
    let shown = evaluator.repr(given)?;
    Err(TemplateError::new(ErrorKind::UnknownPlugin, format!("The lookup plugin {} failed to load: {why}", shown.as_str())))
}

fn run(evaluator: &Evaluator, mut arguments: Arguments, form: Form) -> Result<Val> {
    let as_list = match arguments.take("wantlist") {
        Some(val) => evaluator.truthy(&val)?,
        None => form == Form::List,
    };
    let errors = match arguments.take("errors") {
        Some(val) => evaluator.text(&val)?.as_str().to_owned(),
        None => "strict".to_owned(),
    };
    let mut terms = arguments.positional.into_iter();
    let missing = || TemplateError::conversion("_lookup() missing 1 required positional argument: 'plugin_name'");
    let name = plugin_name(evaluator, &terms.next().ok_or_else(missing)?)?;
    let terms: Vec<Val> = terms.collect();
    if let Some(undefined) = terms.iter().find(|term| term.is_undefined()) {
        return Ok(undefined.clone());
    }
    // `default=undef()` is asked for only where there is nothing.
    if let Some((_, undefined)) = arguments.named.iter().find(|(name, val)| val.is_undefined() && &**name != "default") {
        return Ok(undefined.clone());
    }
    let lookup = evaluator.find_lookup(name.as_str())?;
    let options = Options { named: arguments.named };
    let results = match (lookup.run)(evaluator, &terms, &options).map_err(|error| error.of_plugin("lookup", name.as_str())) {
        Ok(results) => results,
        Err(error) if *error.kind() == ErrorKind::Plugin && matches!(errors.as_str(), "ignore" | "warn") => {
            if errors == "warn" {
                let message = error.message();
                let inner = message.split_once(" failed: ").map_or(message, |(_, inner)| inner);
                evaluator.notice(format!("An error occurred while running the lookup plugin '{}': {inner}", name.as_str()));
            }
            return Ok(if as_list { Val::list(Vec::new()) } else { Val::NONE });
        }
        Err(error) => return Err(error),
    };
    if as_list {
        return Ok(Val::list(results));
    }
    match <[Val; 1]>::try_from(results) {
        Ok([one]) => Ok(one),
        Err(results) if !results.is_empty() && results.iter().all(|val| val.as_text().is_some()) => {
            evaluator.call_filter("join", &Val::list(results), Arguments::of(vec![Val::from(",")]))
        }
        Err(results) => Ok(Val::list(results)),
    }
}

/// The lookup refuses its input.
fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(TemplateError::plugin(message))
}

/// Something that is not there, an error once it is used.
fn nothing(message: String) -> Val {
    Val::from(Undefined::said(message))
}

/// An option's value that is not `None`.
fn given<'o>(options: &'o Options, name: &str) -> Option<&'o Val> {
    options.get(name).filter(|val| !val.is_none())
}

fn flag_or(evaluator: &Evaluator, options: &Options, name: &str, default: bool) -> Result<bool> {
    match given(options, name) {
        None => Ok(default),
        Some(Val::Plain(Value::Text(text))) => Ok(matches!(text.as_str().to_lowercase().as_str(), "yes" | "on" | "1" | "true" | "y" | "t")),
        Some(val) => evaluator.truthy(val),
    }
}

fn text_or(evaluator: &Evaluator, options: &Options, name: &str, default: &str) -> Result<Text> {
    given(options, name).map_or_else(|| Ok(Text::from(default)), |val| evaluator.text(val))
}

/// An option whose value is refused because it waits for a later release.
fn refuse_option<T>(lookup: &str, option: &str) -> Result<T> {
    refuse(format!("the option `{option}` of the lookup `{lookup}` is not supported yet"))
}

/// A term of the old form `key option=value …`: the text without options, and the options it names beside those given.
fn split_term(evaluator: &Evaluator, term: &Val, options: &Options) -> Result<(String, Options)> {
    let text = evaluator.text(term)?;
    let words = match shlex::split(&text.as_str().replace('\\', "\\\\")) {
        Ok(words) => words,
        Err(message) => return refuse(format!("`{}` cannot be split: {message}", text.as_str())),
    };
    let mut merged = options.clone();
    let mut raw = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                merged.named.retain(|(known, _)| &**known != name);
                merged.named.push((name.into(), Val::from(value)));
            }
            _ => raw.push(word),
        }
    }
    Ok((raw.join(" "), merged))
}

#[cfg(test)]
mod tests;
