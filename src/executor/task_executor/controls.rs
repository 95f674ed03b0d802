//! `loop_control`, rendered: all but what each item asks for anew (`label`, `break_when`).

use std::time::Duration;

use crate::executor::keywords::{KeywordError, flag, render, seconds};
use crate::executor::outcome::ItemEnd;
use crate::playbook::LoopControl;
use crate::source::Spanned;
use crate::template::Templar;
use crate::template::print::shown;
use crate::value::Value;
use crate::vars::is_variable_name;

/// How a loop goes over its items.
pub(super) struct Controls {
    pub(super) loop_var: String,
    pub(super) index_var: Option<String>,
    pub(super) extended: bool,
    pub(super) with_all: bool,
    pub(super) pause: Option<Duration>,
}

impl Controls {
    /// What `control` says before the first item runs.
    pub(super) fn read(control: &LoopControl, templar: &Templar) -> Result<Self, Box<ItemEnd>> {
        let option = |name: &str, written: &Option<Spanned<Value>>, default| match written {
            Some(written) => flag(name, written, templar).map(|value| value.unwrap_or(default)).map_err(refused),
            None => Ok(default),
        };
        let pause = match &control.pause {
            Some(written) => seconds("pause", written, templar).map_err(refused)?,
            None => None,
        };
        Ok(Self {
            loop_var: name("loop_var", &control.loop_var, templar)?.unwrap_or_else(|| "item".to_owned()),
            index_var: name("index_var", &control.index_var, templar)?,
            extended: option("extended", &control.extended, false)?,
            with_all: option("extended_allitems", &control.extended_allitems, true)?,
            pause: pause.map(|pause| Duration::try_from_secs_f64(pause.max(0.0)).unwrap_or(Duration::MAX)),
        })
    }
}

/// The name of a variable; only the one that counts may be none.
fn name(keyword: &str, written: &Option<Spanned<Value>>, templar: &Templar) -> Result<Option<String>, Box<ItemEnd>> {
    let Some(written) = written else { return Ok(None) };
    let Some(value) = render(keyword, written, templar).map_err(refused)? else { return Ok(None) };
    let name = shown(&value);
    let kind = match value {
        Value::Null if keyword == "index_var" => return Ok(None),
        Value::Null => " of type 'NoneType'",
        _ if is_variable_name(&name) => return Ok(Some(name)),
        _ => "",
    };
    let message = format!("Invalid '{keyword}': Invalid variable name '{name}'{kind}.");
    let hint = "a name has letters, numbers and underscores, and does not start with a number";
    Err(Box::new(ItemEnd::failed(message.clone(), vec![written.error(message).hint(hint)])))
}

/// No item is to blame, so nothing is said of the task.
fn refused(error: KeywordError) -> Box<ItemEnd> {
    let message = error.message.strip_prefix("Task failed: ").unwrap_or(&error.message);
    Box::new(ItemEnd::failed(message, vec![error.diagnostic]))
}
