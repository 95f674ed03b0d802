//! What filters, tests and lookups are: rows of tables, with a signature and a plain function. The families and their tables
//! are in `filter/`, `test/` and `lookup/`.

use std::sync::Arc;

use super::{Evaluator, Result, TemplateError, Val};
use crate::value::Text;

/// `value | name(…)`.
pub struct Filter {
    /// Its name, without `ansible.builtin.`.
    pub name: &'static str,
    /// What it takes beside its input.
    pub params: &'static [Param],
    /// What happens when its input or an argument is undefined.
    pub markers: Markers,
    /// The function: evaluator, input, arguments.
    pub run: fn(&Evaluator, &Val, &Bound) -> Result<Val>,
}

impl Filter {
    /// What Python calls the function, where messages about its arguments show another name than the filter's.
    pub(super) fn function_name(&self) -> &'static str {
        match self.name {
            "unvault" => "do_unvault",
            "vault" => "do_vault",
            name => own_name(name),
        }
    }
}

/// A plugin's name without its collection.
pub(super) fn own_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// `value is name(…)`.
pub struct Test {
    /// Its name, without `ansible.builtin.`.
    pub name: &'static str,
    /// What it takes beside its input.
    pub params: &'static [Param],
    /// What happens when its input or an argument is undefined.
    pub markers: Markers,
    /// The function: evaluator, input, arguments.
    pub run: fn(&Evaluator, &Val, &Bound) -> Result<bool>,
}

/// `lookup('name', …)`.
pub struct Lookup {
    /// Its name, without `ansible.builtin.`.
    pub name: &'static str,
    /// The options that it takes by keyword; others are an error.
    pub options: &'static [&'static str],
    /// The function: evaluator, terms, options. One value per result; joining them is the caller's.
    pub run: fn(&Evaluator, &[Val], &Options) -> Result<Vec<Val>>,
}

/// What a plugin does with undefined values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markers {
    /// It is not run; an undefined input or argument is the result (Ansible's rule for nearly all).
    Propagate,
    /// It wants to see them (`default`, `defined`, `mandatory`, …).
    Accept,
}

/// One parameter of a signature, in Python's sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// Must be given.
    Required(&'static str),
    /// May be given; the function knows the default.
    Optional(&'static str),
    /// `*args`
    Rest,
    /// `**kwargs`
    RestNamed,
}

/// Arguments as written in a call, evaluated.
#[derive(Clone, Default)]
pub struct Arguments {
    /// By position.
    pub positional: Vec<Val>,
    /// By name, in order.
    pub named: Vec<(Arc<str>, Val)>,
}

impl Arguments {
    /// Arguments by position alone.
    pub fn of(positional: Vec<Val>) -> Self {
        Self { positional, named: Vec::new() }
    }

    /// Takes the argument of this name out.
    pub fn take(&mut self, name: &str) -> Option<Val> {
        let index = self.named.iter().position(|(known, _)| &**known == name)?;
        Some(self.named.remove(index).1)
    }

    /// The first argument that is undefined.
    pub fn first_undefined(&self) -> Option<&Val> {
        self.positional.iter().chain(self.named.iter().map(|(_, val)| val)).find(|val| val.is_undefined())
    }

    /// Assigns the arguments to `params`, as Python does for a function called `name`.
    pub fn bind(self, name: &str, params: &[Param]) -> Result<Bound> {
        let mut bound = Bound { values: vec![None; params.len()], rest: Vec::new(), named: Vec::new() };
        let takes_rest = params.contains(&Param::Rest);
        let places = params.iter().filter(|param| param.name().is_some()).count();
        let given = self.positional.len();
        let mut slots =
            params.iter().enumerate().take_while(|(_, param)| **param != Param::Rest).filter(|(_, param)| param.name().is_some());
        for val in self.positional {
            match slots.next() {
                Some((index, _)) => bound.values[index] = Some(val),
                None if takes_rest => bound.rest.push(val),
                None => {
                    return Err(TemplateError::conversion(format!(
                        "{name}() takes {} positional argument{} but {} {} given",
                        places + 1,
                        if places == 0 { "" } else { "s" },
                        given + 1,
                        if given == 0 { "was" } else { "were" },
                    )));
                }
            }
        }
        for (key, val) in self.named {
            match params.iter().position(|param| param.name() == Some(&*key)) {
                Some(index) if bound.values[index].is_some() => {
                    return Err(TemplateError::conversion(format!("{name}() got multiple values for argument '{key}'")));
                }
                Some(index) => bound.values[index] = Some(val),
                None if params.contains(&Param::RestNamed) => bound.named.push((key, val)),
                None => return Err(TemplateError::conversion(format!("{name}() got an unexpected keyword argument '{key}'"))),
            }
        }
        let missing: Vec<String> = params
            .iter()
            .zip(&bound.values)
            .filter_map(|pair| match pair {
                (Param::Required(missing), None) => Some(format!("'{missing}'")),
                _ => None,
            })
            .collect();
        let Some((last, others)) = missing.split_last() else { return Ok(bound) };
        let names = match others {
            [] => last.clone(),
            [one] => format!("{one} and {last}"),
            _ => format!("{}, and {last}", others.join(", ")),
        };
        let plural = if others.is_empty() { "" } else { "s" };
        Err(TemplateError::conversion(format!("{name}() missing {} required positional argument{plural}: {names}", missing.len())))
    }
}

impl Param {
    /// The name, of those that have one.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Required(name) | Self::Optional(name) => Some(name),
            Self::Rest | Self::RestNamed => None,
        }
    }
}

/// Arguments that were assigned to a signature; asked for by the index of the parameter.
pub struct Bound {
    values: Vec<Option<Val>>,
    /// What `*args` took.
    pub rest: Vec<Val>,
    /// What `**kwargs` took, in order.
    pub named: Vec<(Arc<str>, Val)>,
}

impl Bound {
    /// The argument of parameter `index`, if given.
    pub fn get(&self, index: usize) -> Option<&Val> {
        self.values.get(index)?.as_ref()
    }

    /// The argument of a required parameter.
    pub fn required(&self, index: usize) -> &Val {
        self.get(index).expect("binding refused the call without its required arguments")
    }

    /// A text argument; an error where another type was given.
    pub fn text(&self, index: usize) -> Result<Option<&Text>> {
        match self.get(index) {
            None => Ok(None),
            Some(val) if val.is_none() => Ok(None),
            Some(val) => match val.as_text() {
                Some(text) => Ok(Some(text)),
                None => Err(TemplateError::conversion(format!("expected a 'str', not '{}'", val.type_name()))),
            },
        }
    }

    /// An integer argument, or `default`.
    pub fn int_or(&self, index: usize, default: i64) -> Result<i64> {
        match self.get(index) {
            None => Ok(default),
            Some(val) => val
                .as_int()
                .ok_or_else(|| TemplateError::conversion(format!("'{}' object cannot be interpreted as an integer", val.type_name()))),
        }
    }

    /// Python's truth of an argument, or `default`.
    pub fn flag_or(&self, evaluator: &Evaluator, index: usize, default: bool) -> Result<bool> {
        self.get(index).map_or(Ok(default), |val| evaluator.truthy(val))
    }
}

/// Options of a lookup, by keyword.
#[derive(Clone, Default)]
pub struct Options {
    /// In order; `wantlist` and `errors` were taken out.
    pub named: Vec<(Arc<str>, Val)>,
}

impl Options {
    /// The option of this name, if given.
    pub fn get(&self, name: &str) -> Option<&Val> {
        self.named.iter().find(|(known, _)| &**known == name).map(|(_, val)| val)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &[Param] = &[Param::Required("a"), Param::Optional("b"), Param::RestNamed];

    #[test]
    fn arguments_are_bound_as_python_does() {
        let bound = Arguments { positional: vec![Val::from(1_i64)], named: vec![("b".into(), Val::from(2_i64)), ("z".into(), Val::NONE)] }
            .bind("f", PARAMS)
            .unwrap();
        assert_eq!((bound.int_or(0, 9).unwrap(), bound.int_or(1, 9).unwrap(), bound.named.len()), (1, 2, 1));
    }

    #[test]
    fn wrong_arguments_are_python_s_errors() {
        let message = |arguments: Arguments| arguments.bind("f", &PARAMS[..2]).err().unwrap().message().to_owned();
        assert_eq!(message(Arguments::default()), "f() missing 1 required positional argument: 'a'");
        assert_eq!(message(Arguments::of(vec![Val::NONE, Val::NONE, Val::NONE])), "f() takes 3 positional arguments but 4 were given");
        let named = Arguments { positional: vec![Val::NONE], named: vec![("q".into(), Val::NONE)] };
        assert_eq!(message(named), "f() got an unexpected keyword argument 'q'");
    }
}
