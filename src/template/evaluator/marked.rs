//! Data as `debug` shows it: where something is undefined stands a text that says so.

use super::super::{ErrorKind, Result, TemplateError, Val};
use super::{Evaluator, with_stack};
use crate::value::{Key, Map, Text, Value};

impl Evaluator {
    /// As [`Evaluator::value`], with `<< error 1 - … >>` for each thing that is undefined, at any depth; other errors stay errors.
    pub(in super::super) fn marked(&self, val: Result<Val>) -> Result<Value> {
        Ok(self.marked_level(val, &mut 0)?.unwrap_or_default())
    }

    /// A template's text, where what is undefined is marked in the pieces that show it.
    pub(in super::super) fn marked_text(&self, value: &Value) -> Result<Val> {
        let outer = self.session.marks.replace(Some(0));
        let text = self.render(value);
        self.session.marks.set(outer);
        text
    }

    /// What a piece of a template is worth, or its mark.
    pub(super) fn marked_piece(&self, val: Result<Val>) -> Result<Val> {
        let Some(mut count) = self.session.marks.get() else { return val };
        let error = match val {
            Ok(Val::Undefined(undefined)) if !undefined.is_inline_if() => undefined.error(),
            Err(error) if matches!(error.kind(), ErrorKind::Undefined { .. }) => error,
            other => return other,
        };
        let mark = mark(&error, &mut count);
        self.session.marks.set(Some(count));
        Ok(Val::Plain(mark))
    }

    fn marked_level(&self, val: Result<Val>, count: &mut usize) -> Result<Option<Value>> {
        let _depth = self.enter()?;
        let val = match val {
            Ok(Val::Undefined(undefined)) if !undefined.is_inline_if() => Err(undefined.error()),
            other => other,
        };
        let val = match val {
            Err(error) if matches!(error.kind(), ErrorKind::Undefined { .. }) => return Ok(Some(mark(&error, count))),
            other => other?,
        };
        with_stack(|| match &val {
            Val::Pending(_) => self.marked_level(self.forced(&val), count),
            Val::List(list) => {
                let items = (0..list.borrow().len()).filter_map(|index| self.list_item(list, index).transpose());
                self.marked_items(items, count)
            }
            Val::Tuple(items) => self.marked_items(items.iter().map(|item| self.forced(item)), count),
            Val::Dict(dict) => {
                let keys: Vec<Key> = dict.borrow().keys().cloned().collect();
                self.marked_entries(keys.into_iter().map(|key| (key.clone(), self.dict_entry(dict, &key))), count)
            }
            Val::Scope(scope) => {
                let entries = scope.names().into_iter().map(|name| (Key::from(Text::new(&*name)), self.scope_variable(scope, &name)));
                self.marked_entries(entries, count)
            }
            _ => self.finish(&val),
        })
    }

    fn marked_items(&self, items: impl Iterator<Item = Result<Val>>, count: &mut usize) -> Result<Option<Value>> {
        let items: Vec<Value> = items.filter_map(|item| self.marked_level(item, count).transpose()).collect::<Result<_>>()?;
        Ok(Some(Value::list(items)))
    }

    fn marked_entries(&self, entries: impl Iterator<Item = (Key, Result<Option<Val>>)>, count: &mut usize) -> Result<Option<Value>> {
        let mut map = Map::new();
        for (key, val) in entries {
            if let Some(val) = val.transpose()
                && let Some(value) = self.marked_level(val, count)?
            {
                map.insert(key, value);
            }
        }
        Ok(Some(Value::map(map)))
    }
}

fn mark(error: &TemplateError, count: &mut usize) -> Value {
    *count += 1;
    Value::text(format!("<< error {count} - {} >>", error.message()))
}
