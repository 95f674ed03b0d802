//! Filters that keep, drop and rename keys: those of `community.general` in a list of dicts, those of `ansible.utils` at any depth.

use super::{filter, refuse};
use crate::template::python::regex::{Anchor, Flags, Pattern, compile};
use crate::template::{Bound, Dict, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Key;

use Param::{Optional, Required};

pub(super) const FILTERS: &[Filter] = &[
    filter("ansible.utils.keep_keys", PARAMS, |evaluator, value, arguments| deep(evaluator, value, arguments, Task::Keep)),
    filter("ansible.utils.remove_keys", PARAMS, |evaluator, value, arguments| deep(evaluator, value, arguments, Task::Remove)),
    filter("ansible.utils.replace_keys", PARAMS, |evaluator, value, arguments| deep(evaluator, value, arguments, Task::Replace)),
    filter("community.general.keep_keys", PARAMS, |evaluator, value, arguments| flat(evaluator, value, arguments, Task::Keep)),
    filter("community.general.remove_keys", PARAMS, |evaluator, value, arguments| flat(evaluator, value, arguments, Task::Remove)),
    filter("community.general.replace_keys", PARAMS, |evaluator, value, arguments| flat(evaluator, value, arguments, Task::Replace)),
];

const PARAMS: &[Param] = &[Required("target"), Optional("matching_parameter")];

#[derive(Clone, Copy, PartialEq)]
enum Task {
    Keep,
    Remove,
    Replace,
}

enum Match {
    Equal(String),
    Start(String),
    End(String),
    Pattern(std::sync::Arc<Pattern>),
}

impl Match {
    fn new(how: &str, text: &str) -> Result<Self> {
        Ok(match how {
            "equal" => Self::Equal(text.to_owned()),
            "starts_with" => Self::Start(text.to_owned()),
            "ends_with" => Self::End(text.to_owned()),
            _ => {
                let pattern = compile(text, Flags::default(), Anchor::Start);
                Self::Pattern(pattern.map_err(|error| TemplateError::plugin(format!("The target must be a valid regex: {error}")))?)
            }
        })
    }

    fn fits(&self, key: &str) -> bool {
        match self {
            Self::Equal(text) => key == text,
            Self::Start(text) => key.starts_with(text),
            Self::End(text) => key.ends_with(text),
            Self::Pattern(pattern) => pattern.is_match(key).unwrap_or(false),
        }
    }
}

/// What keys are to fit, and their new names.
struct Targets(Vec<(Match, String)>);

impl Targets {
    fn of(evaluator: &Evaluator, arguments: &Bound, task: Task) -> Result<Self> {
        let how = arguments.text(1)?.map_or("equal", |how| how.as_str());
        if !matches!(how, "equal" | "starts_with" | "ends_with" | "regex") {
            return refuse(format!(
                "The matching_parameter must be one of ['equal', 'starts_with', 'ends_with', 'regex']. matching_parameter='{how}'"
            ));
        }
        let target = arguments.required(0);
        let items = if target.is_list() { evaluator.items(target)? } else { vec![target.clone()] };
        if items.is_empty() {
            return refuse("The target can't be empty.");
        }
        if how == "regex" && items.len() > 1 && task != Task::Replace {
            return refuse("Single item is required in the target list if matching_parameter=regex.");
        }
        let mut targets = Vec::new();
        for item in items {
            if task == Task::Replace {
                let part = |name: &str| if item.is_mapping() { evaluator.entry(&item, &name.into()) } else { Ok(None) };
                let (Some(before), Some(after)) = (part("before")?, part("after")?) else {
                    return refuse("All dictionaries in target must include attributes: after, before.");
                };
                targets.push((Match::new(how, evaluator.text(&before)?.as_str())?, evaluator.text(&after)?.as_str().to_owned()));
                continue;
            }
            let Some(text) = item.as_str() else {
                return refuse(format!(
                    "The target items must be strings. {} is <class '{}'>",
                    evaluator.text(&item)?.as_str(),
                    item.type_name()
                ));
            };
            targets.push((Match::new(how, text)?, String::new()));
        }
        Ok(Self(targets))
    }

    fn find(&self, key: &Key) -> Option<&str> {
        let key = key.as_str()?;
        self.0.iter().find(|(fits, _)| fits.fits(key)).map(|(_, after)| after.as_str())
    }
}

fn flat(evaluator: &Evaluator, value: &Val, arguments: &Bound, task: Task) -> Result<Val> {
    if !value.is_list() {
        return refuse(format!("First argument must be a list. {} is <class '{}'>", evaluator.text(value)?.as_str(), value.type_name()));
    }
    let items = evaluator.items(value)?;
    if let Some(wrong) = items.iter().find(|item| !item.is_mapping()) {
        let shown = evaluator.text(wrong)?;
        return refuse(format!("The data items must be dictionaries. {} is <class '{}'>", shown.as_str(), wrong.type_name()));
    }
    let targets = Targets::of(evaluator, arguments, task)?;
    let mut changed = Vec::new();
    for item in items {
        let mut dict = Dict::new();
        for (key, val) in evaluator.entries(&item)? {
            match (targets.find(&key), task) {
                (Some(_), Task::Remove) | (None, Task::Keep) => {}
                (Some(after), Task::Replace) => {
                    dict.insert(Key::from(after), val);
                }
                _ => {
                    dict.insert(key, val);
                }
            }
        }
        changed.push(Val::dict(dict));
    }
    Ok(Val::list(changed))
}

fn deep(evaluator: &Evaluator, value: &Val, arguments: &Bound, task: Task) -> Result<Val> {
    let targets = Targets::of(evaluator, arguments, task)?;
    Ok(inside(evaluator, value, &targets, task)?.unwrap_or_else(|| Val::dict(Dict::new())))
}

/// `None` where nothing is left to keep.
fn inside(evaluator: &Evaluator, val: &Val, targets: &Targets, task: Task) -> Result<Option<Val>> {
    let _depth = evaluator.enter()?;
    if val.is_list() {
        let mut items = Vec::new();
        for item in evaluator.items(val)? {
            items.extend(inside(evaluator, &item, targets, task)?);
        }
        return Ok((task != Task::Keep || !items.is_empty()).then(|| Val::list(items)));
    }
    if !val.is_mapping() {
        return Ok((task != Task::Keep).then(|| val.clone()));
    }
    let mut dict = Dict::new();
    let mut renamed = Vec::new();
    for (key, val) in evaluator.entries(val)? {
        match (targets.find(&key), task) {
            (Some(_), Task::Remove) => {}
            (Some(_), Task::Keep) => {
                dict.insert(key, val);
            }
            (Some(after), Task::Replace) => renamed.extend(inside(evaluator, &val, targets, task)?.map(|val| (Key::from(after), val))),
            (None, _) => {
                if let Some(val) = inside(evaluator, &val, targets, task)? {
                    dict.insert(key, val);
                }
            }
        }
    }
    dict.extend(renamed);
    Ok((task != Task::Keep || !dict.is_empty()).then(|| Val::dict(dict)))
}
