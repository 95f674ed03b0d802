//! Functions that every template knows: `range`, `lookup`, `now`, `namespace`, …

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::super::{Arguments, Dict, Range, Result, TemplateError, Undefined, Val, lookup, python};
use super::object::{Cycler, Namespace, native};
use super::{Evaluator, lipsum, methods};
use crate::value::{Key, Value};

/// The global of this name.
pub fn find(name: &str) -> Option<Val> {
    Some(match name {
        "omit" => Val::Omit,
        "cycler" => native("cycler", |_, arguments| {
            if arguments.positional.is_empty() {
                return Err(TemplateError::conversion("at least one item has to be provided"));
            }
            Ok(Val::Object(Rc::new(Cycler { items: arguments.positional, index: Cell::new(0) })))
        }),
        "dict" => native("dict", dict),
        "joiner" => native("joiner", |_, arguments| {
            let separator = arguments.positional.first().cloned().unwrap_or_else(|| Val::from(", "));
            let used = Cell::new(false);
            Ok(native("joiner", move |_, _| Ok(if used.replace(true) { separator.clone() } else { Val::from("") })))
        }),
        "lipsum" => native("lipsum", lipsum::lipsum),
        "lookup" => native("lookup", lookup::lookup),
        "namespace" => native("namespace", |evaluator, arguments| {
            let entries = dict_entries(evaluator, arguments)?;
            let names = entries.into_iter().filter_map(|(key, val)| Some((key.as_str()?.into(), val))).collect();
            Ok(Val::Object(Rc::new(Namespace(RefCell::new(names)))))
        }),
        "now" => native("now", now),
        "q" | "query" => native("query", lookup::query),
        "range" => native("range", range),
        "undef" => native("undef", |evaluator, mut arguments| {
            let hint = arguments.take("hint").or_else(|| arguments.positional.first().cloned());
            let message = match hint {
                Some(hint) if hint.as_text().is_some() => evaluator.text(&hint)?.as_str().to_owned(),
                Some(hint) if !hint.is_none() => {
                    let found = hint.type_name();
                    let message = format!("The 'hint' argument must be of type 'str' or 'NoneType', not '{found}'.");
                    return Err(TemplateError::conversion(message));
                }
                _ => "Mandatory variable has not been overridden".to_owned(),
            };
            Ok(Undefined::said(message).into())
        }),
        _ => return None,
    })
}

/// All names that [`find`] knows, for "did you mean".
pub const NAMES: &[&str] = &["cycler", "dict", "joiner", "lipsum", "lookup", "namespace", "now", "omit", "q", "query", "range", "undef"];

fn dict(evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
    Ok(Val::dict(dict_entries(evaluator, arguments)?))
}

fn dict_entries(evaluator: &Evaluator, arguments: Arguments) -> Result<Dict> {
    let mut entries = match arguments.positional.first() {
        None => Dict::new(),
        Some(mapping) if mapping.is_mapping() => evaluator.to_dict(mapping)?,
        Some(pairs) => methods::pairs_of(evaluator, pairs)?.into_iter().collect(),
    };
    entries.extend(arguments.named.into_iter().map(|(name, val)| (Key::from(&*name), val)));
    Ok(entries)
}

fn now(evaluator: &Evaluator, mut arguments: Arguments) -> Result<Val> {
    let given = arguments.positional.len();
    if given > 2 {
        return Err(TemplateError::conversion(format!("_now() takes from 0 to 2 positional arguments but {given} were given")));
    }
    let format = arguments.take("fmt").or_else(|| arguments.positional.get(1).cloned());
    let utc = match arguments.take("utc").or_else(|| arguments.positional.first().cloned()) {
        Some(utc) => evaluator.truthy(&utc)?,
        None => false,
    };
    let zone = if utc { TimeZone::UTC } else { TimeZone::system() };
    let zoned = Zoned::new(Timestamp::now(), zone);
    match format {
        Some(format) if !format.is_none() => {
            let Some(format) = format.as_text() else {
                return Err(TemplateError::conversion(format!("strftime() argument 1 must be str, not {}", format.type_name())));
            };
            Ok(Val::from(python::time::strftime_datetime(format.as_str(), zoned.datetime(), None)))
        }
        _ => {
            let moment = zoned.datetime();
            let micros = moment.subsec_nanosecond() / 1000 * 1000;
            let moment = moment.with().subsec_nanosecond(micros).build().unwrap_or(moment);
            Ok(Val::Plain(Value::DateTime(moment, None)))
        }
    }
}

fn range(_: &Evaluator, arguments: Arguments) -> Result<Val> {
    let mut numbers = Vec::new();
    for val in &arguments.positional {
        match val {
            Val::Undefined(undefined) => return Err(undefined.error()),
            val => {
                numbers.push(val.as_int().ok_or_else(|| {
                    TemplateError::conversion(format!("'{}' object cannot be interpreted as an integer", val.type_name()))
                })?)
            }
        }
    }
    let (start, stop, step) = match numbers[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        [] => return Err(TemplateError::conversion("range expected at least 1 argument, got 0")),
        _ => return Err(TemplateError::conversion(format!("range expected at most 3 arguments, got {}", numbers.len()))),
    };
    if step == 0 {
        return Err(TemplateError::conversion("range() arg 3 must not be zero"));
    }
    Ok(Val::Range(Range { start, stop, step }))
}
