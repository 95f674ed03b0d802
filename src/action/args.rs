//! `Args`: a task's arguments, rendered to values and not yet checked; checking underlines what is wrong where it was written.

use std::sync::Arc;

use driftless_modules::spec::{ArgError, Certainty, Kind, Segment, Spec, Target, convert};
use driftless_modules::{Json, JsonMap};

use super::Failure;
use crate::source::{Diagnostic, Span, Spanned};
use crate::template::print::shown;
use crate::value::{Map, Value, to_json};

/// Rendered arguments.
#[derive(Clone, Debug)]
pub struct Args {
    options: Vec<Arg>,
    call: Span,
}

/// One of them.
#[derive(Clone, Debug)]
struct Arg {
    name: Spanned<Arc<str>>,
    value: Value,
    written: Span,
}

/// Arguments that a module's options allow, as they travel.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Canonical names, converted values, defaults.
    pub args: JsonMap,
    /// Values of secret options.
    pub secrets: Vec<String>,
    /// What Ansible warns about.
    pub warnings: Vec<String>,
}

/// All mistakes in a task's arguments.
pub type ArgsError = Failure;

impl Args {
    /// No arguments yet, for a module named at `call`.
    pub fn new(call: Span) -> Self {
        Self { options: Vec::new(), call }
    }

    /// Adds an argument; the last of a name wins.
    pub fn set(&mut self, name: Spanned<Arc<str>>, value: Value, written: Span) {
        self.options.retain(|arg| arg.name.value != name.value);
        self.options.push(Arg { name, value, written });
    }

    /// Adds an argument that the user did not write.
    pub fn set_own(&mut self, name: &str, value: impl Into<Value>) {
        let call = self.call.clone();
        self.set(Spanned::new(Arc::from(name), call.clone()), value.into(), call);
    }

    /// The argument of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.options.iter().find(|arg| &*arg.name.value == name).map(|arg| &arg.value)
    }

    /// The first of these names that is there.
    pub fn first(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The argument as text; numbers and booleans as Python prints them.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.first(names).filter(|value| !value.is_null()).map(shown)
    }

    /// The argument as truth, as Ansible's modules read it.
    pub fn flag(&self, names: &[&str], default: bool) -> Result<bool, Failure> {
        let Some(name) = names.iter().find(|name| self.get(name).is_some_and(|value| !value.is_null())) else { return Ok(default) };
        Ok(self.converted(name, Kind::Bool)?.and_then(|flag| flag.as_bool()).unwrap_or(default))
    }

    /// The argument as this kind, `None` where it is not given; in Ansible's words where it cannot be.
    pub fn converted(&self, name: &str, kind: Kind) -> Result<Option<Json>, Failure> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let converted = convert(kind, &to_json(value), &[]);
        converted.map(Some).map_err(|why| self.inconvertible(&[name], kind.name(), &why))
    }

    /// An argument that is not of the kind that is wanted, and why not.
    pub fn inconvertible(&self, names: &[&str], kind: &str, why: &str) -> Failure {
        let (name, found) = (names[0], self.first(names).map_or("NoneType", Value::type_name));
        let written = names.iter().find(|name| self.get(name).is_some()).unwrap_or(&name);
        let message = format!("argument '{name}' is of type {found} and we were unable to convert to {kind}: {why}");
        Failure::new(&message).at(self.error_at(written, &message))
    }

    /// Takes an argument out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.options.iter().position(|arg| &*arg.name.value == name)?;
        Some(self.options.remove(at).value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.options.iter().map(|arg| (&*arg.name.value, &arg.value))
    }

    /// All of them as a map.
    pub fn to_map(&self) -> Map {
        self.options.iter().map(|arg| (crate::value::Key::from(&*arg.name.value), arg.value.clone())).collect()
    }

    /// Checks them against a module's options.
    pub fn check(&self, spec: &Spec, name: &str) -> Result<Checked, Failure> {
        let json: JsonMap = self.options.iter().map(|arg| (arg.name.value.to_string(), to_json(&arg.value))).collect();
        match spec.check_as(name, &json) {
            Ok(checked) => {
                let secret = self.options.iter().filter_map(|arg| match &arg.value {
                    Value::Text(text) if text.is_secret() => Some(text.as_str().to_owned()),
                    _ => None,
                });
                let secrets = checked.secrets.into_iter().chain(secret).collect();
                Ok(Checked { args: checked.args, secrets, warnings: checked.warnings })
            }
            Err(errors) => Err(self.failure(&errors)),
        }
    }

    /// A diagnostic at an option.
    pub fn error_at(&self, option: &str, message: &str) -> Diagnostic {
        let written = self.options.iter().find(|arg| &*arg.name.value == option).map_or(&self.call, |arg| &arg.written);
        Diagnostic::error(message).at(written)
    }

    /// Two options of which only one may be there.
    pub fn excluded(&self, (first, second, message): (&str, &str, &str)) -> Failure {
        let mut diagnostic = self.key_error(second, message);
        if let Some(span) = self.key_error(first, "").span().cloned() {
            diagnostic = diagnostic.label(&span, "given too");
        }
        Failure::new(message).at(diagnostic)
    }

    fn failure(&self, errors: &[ArgError]) -> Failure {
        let mut failure = Failure::new(errors.first().map_or("wrong arguments", |error| error.message.as_str()));
        for error in errors {
            let diagnostic = Diagnostic::error(&error.message).at(self.place(error));
            failure = failure.at(match &error.hint {
                Some(hint) => diagnostic.hint(hint),
                None => diagnostic,
            });
        }
        failure
    }

    fn place(&self, error: &ArgError) -> &Span {
        let name = match error.path.first() {
            Some(Segment::Key(name)) => name,
            Some(Segment::Index(_)) | None => &error.option,
        };
        let Some(arg) = self.options.iter().find(|arg| *arg.name.value == **name) else { return &self.call };
        if error.target == Target::Key && error.path.len() < 2 { &arg.name.span } else { &arg.written }
    }
}

/// What Ansible takes for true and false.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::Float(number) if *number == 1.0 => Some(true),
        Value::Float(number) if *number == 0.0 => Some(false),
        Value::Text(text) => match text.as_str().trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Refuses options that an action does not have.
pub(super) fn only(call: &super::Call<'_>, known: &super::OwnOptions) -> Result<(), Failure> {
    if let Some((_, message)) = known.required.iter().find(|(names, _)| call.args.first(names).is_none()) {
        return Err(Failure::new(*message));
    }
    let mistakes = call.args.unknown(known, call.name);
    let Some(first) = mistakes.first() else { return Ok(()) };
    Err(mistakes.iter().cloned().fold(Failure::new(&first.message), Failure::at))
}

impl Args {
    /// Options that an action does not have: the first mistake names them all.
    fn unknown(&self, known: &super::OwnOptions, module: &str) -> Vec<Diagnostic> {
        let unknown: Vec<&str> = self.iter().map(|(name, _)| name).filter(|name| !known.names.contains(name)).collect();
        let supported: Vec<&str> = known.names.iter().copied().filter(|name| !name.starts_with('_')).collect();
        let message = format!(
            "Unsupported parameters for ({module}) module: {}. Supported parameters include: {}.",
            unknown.join(", "),
            supported.join(", ")
        );
        let mistake = |(index, name): (usize, &&str)| {
            let message = if index == 0 { message.clone() } else { format!("`{module}` has no option `{name}`") };
            let diagnostic = self.key_error(name, &message);
            match crate::playbook::did_you_mean(name, supported.iter().copied()) {
                Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
                None => diagnostic,
            }
        };
        unknown.iter().enumerate().map(mistake).collect()
    }

    /// What is wrong whatever the values will be that are not known yet.
    pub fn mistakes(&self, spec: &Spec, module: &str, certainty: &dyn Fn(&str) -> Certainty) -> Vec<Diagnostic> {
        let json: JsonMap = self.options.iter().map(|arg| (arg.name.value.to_string(), to_json(&arg.value))).collect();
        spec.check_known(module, &json, certainty).err().map_or_else(Vec::new, |errors| self.failure(&errors).diagnostics)
    }

    /// The same for an action that checks its options itself.
    pub fn own_mistakes(&self, own: &super::OwnOptions, module: &str) -> Vec<Diagnostic> {
        let missing = own.required.iter().filter(|(names, _)| self.first(names).is_none());
        let missing = missing.map(|(_, message)| Diagnostic::error(*message).at(&self.call));
        missing.chain(self.unknown(own, module)).collect()
    }

    fn key_error(&self, option: &str, message: &str) -> Diagnostic {
        let place = self.options.iter().find(|arg| &*arg.name.value == option).map_or(&self.call, |arg| &arg.name.span);
        Diagnostic::error(message).at(place)
    }
}
