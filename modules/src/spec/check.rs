//! Checks a task's arguments against a module's options as Ansible does, with its messages, but finds all mistakes at once and says
//! where each is. The first mistake of the list is the one that Ansible would report.

use super::convert::convert;
use super::{Constraint, OptOf, Spec, TableOf, did_you_mean, text};
use crate::{Json, JsonMap};

/// Arguments that are right: canonical names, converted values, defaults filled in.
#[derive(Clone, Debug, Default)]
pub struct CheckedArgs {
    /// What travels to the helper.
    pub args: JsonMap,
    /// What Ansible warns about.
    pub warnings: Vec<String>,
    /// The values of secret options: to be masked wherever they show.
    pub secrets: Vec<String>,
}

/// A mistake in a task's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgError {
    /// The option as it was written; empty where the mistake is that something is missing.
    pub option: String,
    /// The way to the wrong thing from the arguments' map; empty: the map itself.
    pub path: Vec<Segment>,
    /// Whether the key or the value at the end of `path` is wrong.
    pub target: Target,
    /// Ansible's words.
    pub message: String,
    /// What the user may have meant.
    pub hint: Option<String>,
}

/// One step of the way to a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// An entry of a dict, as it was written.
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// What is wrong at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The name of the entry.
    Key,
    /// Its value.
    Value,
}

/// Options of Ansible's modules that are not the user's to write, and that its messages name all the same.
const ANSIBLES_INTERNALS: &[&str] = &["_original_basename", "_raw_params", "_uses_shell"];

/// What is known of an option's value before a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The value.
    Known,
    /// That it is given.
    Given,
    /// Nothing: it may be left out as well.
    Open,
}

impl Spec {
    /// Checks arguments as rendered. All mistakes, in Ansible's order.
    pub fn check(&self, args: &JsonMap) -> Result<CheckedArgs, Vec<ArgError>> {
        self.check_as(self.name, args)
    }

    /// The same for a module called by another name (`ansible.builtin.copy`), which Ansible's message repeats.
    pub fn check_as(&self, name: &str, args: &JsonMap) -> Result<CheckedArgs, Vec<ArgError>> {
        self.check_known(name, args, &|_| Certainty::Known)
    }

    /// The same where some values are not known yet: only mistakes that are there whatever they will be.
    pub fn check_known(&self, name: &str, args: &JsonMap, certainty: &dyn Fn(&str) -> Certainty) -> Result<CheckedArgs, Vec<ArgError>> {
        if !self.hands_on {
            return self.check_options(name, args, certainty);
        }
        let unread = JsonMap::from_iter([(OPTIONS.to_owned(), Json::Object(args.clone()))]);
        Ok(CheckedArgs { args: unread, ..CheckedArgs::default() })
    }

    /// Checks arguments against the module's own options, also where it hands them on.
    pub fn check_own(&self, name: &str, args: &JsonMap) -> Result<CheckedArgs, Vec<ArgError>> {
        self.check_options(name, args, &|_| Certainty::Known)
    }

    fn check_options(&self, name: &str, args: &JsonMap, certainty: &dyn Fn(&str) -> Certainty) -> Result<CheckedArgs, Vec<ArgError>> {
        let missing = |option: &str| self.missing.iter().find(|(name, _)| *name == option).map(|(_, why)| *why);
        Checker::run(&self.table, args, &Place { module: name, path: &[], context: &[], missing: &missing }, certainty)
    }
}

/// Under which name options travel that another module is to check.
pub const OPTIONS: &str = "_options";

/// Where in the arguments a table is being checked.
struct Place<'a> {
    module: &'a str,
    path: &'a [Segment],
    context: &'a [String],
    missing: &'a dyn Fn(&str) -> Option<&'static str>,
}

impl Place<'_> {
    fn join(&self, segment: Segment) -> Vec<Segment> {
        self.path.iter().cloned().chain([segment]).collect()
    }

    /// Ansible's ` found in a -> b`.
    fn found_in(&self) -> String {
        if self.context.is_empty() { String::new() } else { format!(" found in {}", self.context.join(" -> ")) }
    }
}

struct Checker<'c> {
    checked: CheckedArgs,
    errors: Vec<ArgError>,
    unsupported: Vec<ArgError>,
    /// Of options by the names they were written with.
    certainty: &'c dyn Fn(&str) -> Certainty,
}

impl TableOf<'_> {
    /// Checks arguments that are no module's; messages name `owner` where a module's would name it.
    pub fn check_as(&self, owner: &str, args: &JsonMap) -> Result<CheckedArgs, Vec<ArgError>> {
        Checker::run(self, args, &Place { module: owner, path: &[], context: &[], missing: &|_| None }, &|_| Certainty::Known)
    }
}

impl Checker<'_> {
    /// Checks arguments against a table; options that are not there yet are told last.
    fn run(
        table: &TableOf<'_>,
        args: &JsonMap,
        place: &Place,
        certainty: &dyn Fn(&str) -> Certainty,
    ) -> Result<CheckedArgs, Vec<ArgError>> {
        let mut checker = Checker { checked: CheckedArgs::default(), errors: Vec::new(), unsupported: Vec::new(), certainty };
        let checked = checker.table(table, args, place);
        checker.errors.append(&mut checker.unsupported);
        if !checker.errors.is_empty() {
            return Err(checker.errors);
        }
        checker.checked.args = checked;
        Ok(checker.checked)
    }

    fn table(&mut self, table: &TableOf<'_>, written: &JsonMap, place: &Place) -> JsonMap {
        let mut names = Vec::new();
        let mut values = self.canonical(table, written, place, &mut names);
        let as_written =
            |option: &str| names.iter().find(|(name, _)| *name == option).map_or_else(|| option.to_owned(), |(_, written)| written.clone());
        let certainty = self.certainty;
        let known = |option: &str| if place.path.is_empty() { certainty(&as_written(option)) } else { Certainty::Known };
        let named = Named { as_written: &as_written, known: &known };
        for constraint in &table.constraints {
            if let Constraint::MutuallyExclusive(options) = constraint {
                self.mutually_exclusive(options, &values, place, &named);
            }
        }
        fill_defaults(table, &mut values);
        self.required(table, &values, place);
        let mut checked = JsonMap::new();
        for opt in &table.options {
            let Some(value) = values.get(opt.name).filter(|_| known(opt.name) == Certainty::Known) else { continue };
            let at = || place.join(Segment::Key(as_written(opt.name)));
            if let Some(value) = self.value(opt, value, &at, place) {
                checked.insert(opt.name.to_owned(), value);
            }
        }
        // A value that could not be converted is there all the same: its own error is enough.
        for (name, value) in &values {
            if !checked.contains_key(name) {
                checked.insert(name.clone(), value.clone());
            }
        }
        for rank in 0..4 {
            for constraint in &table.constraints {
                self.together(constraint, rank, &checked, place, &named);
            }
        }
        for opt in &table.options {
            if let (Some(inner), Some(value), Certainty::Known) = (&opt.suboptions, checked.get(opt.name), known(opt.name)) {
                let at = place.join(Segment::Key(as_written(opt.name)));
                let value = self.suboptions(opt, inner, value.clone(), &at, place);
                checked.insert(opt.name.to_owned(), value);
            }
        }
        checked
    }

    /// Aliases become the option's name; unknown names are noted.
    fn canonical<'t>(&mut self, table: &TableOf<'t>, written: &JsonMap, place: &Place, names: &mut Vec<(&'t str, String)>) -> JsonMap {
        let mut values = JsonMap::new();
        let mut unknown = Vec::new();
        for (key, value) in written {
            let Some(opt) = table.find(key) else {
                unknown.push(key.as_str());
                continue;
            };
            let known = names.iter().position(|(name, _)| *name == opt.name);
            if let Some(known) = known {
                let alias = if key == opt.name { names[known].1.clone() } else { key.clone() };
                self.checked.warnings.push(format!("Both option {} and its alias {alias} are set.", opt.name));
                // An alias wins over the name, and a later alias over an earlier one.
                let order = |name: &str| opt.aliases.iter().position(|alias| *alias == name);
                if order(key) < order(&names[known].1) {
                    continue;
                }
                names[known].1.clone_from(key);
            } else {
                names.push((opt.name, key.clone()));
            }
            values.insert(opt.name.to_owned(), value.clone());
        }
        self.unknown(table, unknown, place);
        values
    }

    /// The first of the unknown options names them all, as Ansible does in one message.
    fn unknown(&mut self, table: &TableOf<'_>, mut keys: Vec<&str>, place: &Place) {
        keys.sort_unstable();
        // `omit` may take an option out that no module has.
        keys.retain(|key| !place.path.is_empty() || (self.certainty)(key) != Certainty::Open);
        if keys.is_empty() {
            return;
        }
        let is_shown = |opt: &&OptOf<'_>| !opt.is_internal() || ANSIBLES_INTERNALS.contains(&opt.name);
        let mut names: Vec<&str> = table.options.iter().filter(is_shown).map(|opt| opt.name).collect();
        let mut aliases: Vec<&str> = table.options.iter().flat_map(|opt| opt.aliases.iter().copied()).collect();
        names.sort_unstable();
        aliases.sort_unstable();
        let dotted: String = place.context.iter().map(|name| format!("{name}.")).collect();
        let mut first = true;
        for key in &keys {
            let error = |message: String, hint: Option<String>| ArgError {
                option: (*key).to_owned(),
                path: place.join(Segment::Key((*key).to_owned())),
                target: Target::Key,
                message,
                hint,
            };
            if let Some(why) = (place.missing)(key) {
                let message = format!("option `{key}` of `{}` is not supported yet: {why}", place.module);
                self.unsupported.push(error(message, None));
                continue;
            }
            let hint = did_you_mean(key, names.iter().chain(&aliases).copied()).map(|name| format!("did you mean `{name}`?"));
            let message = if std::mem::take(&mut first) {
                let unknown: Vec<String> =
                    keys.iter().filter(|key| (place.missing)(key).is_none()).map(|key| format!("{dotted}{key}")).collect();
                let aliases = if aliases.is_empty() { String::new() } else { format!(" ({})", aliases.join(", ")) };
                format!(
                    "Unsupported parameters for ({}) module: {}. Supported parameters include: {}{aliases}.",
                    place.module,
                    unknown.join(", "),
                    names.join(", ")
                )
            } else {
                format!("`{}` has no option `{dotted}{key}`", place.module)
            };
            self.unsupported.push(error(message, hint));
        }
    }

    fn mutually_exclusive(&mut self, options: &[&str], values: &JsonMap, place: &Place, named: &Named<'_>) {
        let given: Vec<&str> = options.iter().copied().filter(|option| named.is_given(option, values)).collect();
        if let [_, second, ..] = given[..] {
            let message = format!("parameters are mutually exclusive: {}{}", options.join("|"), place.found_in());
            self.push((named.as_written)(second), place, Target::Key, message);
        }
    }

    fn required(&mut self, table: &TableOf<'_>, values: &JsonMap, place: &Place) {
        let mut missing: Vec<&str> =
            table.options.iter().filter(|opt| opt.required && !values.contains_key(opt.name)).map(|opt| opt.name).collect();
        if missing.is_empty() {
            return;
        }
        missing.sort_unstable();
        let message = format!("missing required arguments: {}{}", missing.join(", "), place.found_in());
        self.push_whole(place, message);
    }

    /// One option's value in its type and within its choices, or nothing and the mistakes noted.
    fn value(&mut self, opt: &OptOf<'_>, value: &Json, at: &dyn Fn() -> Vec<Segment>, place: &Place) -> Option<Json> {
        let error = |path: Vec<Segment>, message: String, hint: Option<String>| ArgError {
            option: written_option(&path),
            path,
            target: Target::Value,
            message,
            hint,
        };
        if value.is_null() && !opt.required && opt.default.is_none() {
            if opt.choices.is_empty() {
                return Some(Json::Null);
            }
            let message = format!("value of {} must be one of: {}, got: None{}", opt.name, opt.choices.join(", "), place.found_in());
            self.errors.push(error(at(), message, None));
            return None;
        }
        let wrong = |what: &str, kind: super::Kind, value: &Json, why: String| {
            let found = if place.context.is_empty() { String::new() } else { format!(" found in '{}'.", place.context.join(" -> ")) };
            format!(
                "{what} '{}' is of type {}{found} and we were unable to convert to {}: {why}",
                opt.name,
                super::python::type_name(value),
                kind.name()
            )
        };
        let mut converted = match convert(opt.kind, value, opt.choices) {
            Ok(converted) => converted,
            Err(why) => {
                self.errors.push(error(at(), wrong("argument", opt.kind, value, why), None));
                return None;
            }
        };
        if let (Some(kind), Json::Array(items)) = (opt.elements, &mut converted) {
            let mut right = true;
            for (index, item) in items.iter_mut().enumerate() {
                match convert(kind, item, opt.choices) {
                    Ok(value) => *item = value,
                    Err(why) => {
                        let path: Vec<Segment> = at().into_iter().chain([Segment::Index(index)]).collect();
                        self.errors.push(error(path, wrong("Elements value for option", kind, item, why), None));
                        right = false;
                    }
                }
            }
            if !right {
                return None;
            }
        }
        if !opt.choices.is_empty() {
            let allowed = |item: &Json| opt.choices.contains(&text(item).as_str());
            let (refused, words): (Vec<&Json>, _) = match &converted {
                Json::Array(items) => (items.iter().filter(|item| !allowed(item)).collect(), "must be one or more of"),
                item => (Some(item).filter(|item| !allowed(item)).into_iter().collect(), "must be one of"),
            };
            if !refused.is_empty() {
                let got: Vec<String> = refused.iter().map(|item| text(item)).collect();
                let choices = opt.choices.join(", ");
                let got_text = if words.contains("more") { format!("no match for: {}", got.join(", ")) } else { got.join(", ") };
                let message = if words.contains("more") {
                    format!("value of {} {words}: {choices}. Got {got_text}{}", opt.name, place.found_in())
                } else {
                    format!("value of {} {words}: {choices}, got: {got_text}{}", opt.name, place.found_in())
                };
                let hint = did_you_mean(&got[0], opt.choices.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                self.errors.push(error(at(), message, hint));
                return None;
            }
        }
        if opt.secret {
            collect_texts(&converted, &mut self.checked.secrets);
        }
        Some(converted)
    }

    /// The rules that Ansible checks after types and choices; `rank` keeps its order of kinds.
    fn together(&mut self, constraint: &Constraint, rank: usize, values: &JsonMap, place: &Place, named: &Named<'_>) {
        let as_written = named.as_written;
        let there = |option: &&&str| named.is_given(option, values);
        let missing = |options: &'static [&'static str]| -> Vec<&'static str> {
            options.iter().copied().filter(|option| !values.contains_key(*option)).collect()
        };
        match (constraint, rank) {
            (Constraint::RequiredTogether(options), 0) => {
                if let Some(given) = options.iter().find(|option| there(option))
                    && !missing(options).is_empty()
                {
                    let message = format!("parameters are required together: {}{}", options.join(", "), place.found_in());
                    self.push(as_written(given), place, Target::Key, message);
                }
            }
            (Constraint::RequiredOneOf(options), 1) if missing(options).len() == options.len() => {
                let message = format!("one of the following is required: {}{}", options.join(", "), place.found_in());
                self.push_whole(place, message);
            }
            (Constraint::RequiredIf { option, value, needs, any }, 2) => {
                if values.get(*option) != Some(value) || (named.known)(option) != Certainty::Known {
                    return;
                }
                let missing = missing(needs);
                let short = if *any { missing.len() == needs.len() } else { !missing.is_empty() };
                if short {
                    let term = if *any { "any" } else { "all" };
                    let message = format!(
                        "{option} is {} but {term} of the following are missing: {}{}",
                        text(value),
                        missing.join(", "),
                        place.found_in()
                    );
                    let written = as_written(option);
                    self.push(written, place, Target::Value, message);
                }
            }
            (Constraint::RequiredBy { option, needs }, 3) => {
                let missing = missing(needs);
                if named.is_given(option, values) && !missing.is_empty() {
                    let message = format!("missing parameter(s) required by '{option}': {}{}", missing.join(", "), place.found_in());
                    self.push(as_written(option), place, Target::Key, message);
                }
            }
            _ => {}
        }
    }

    fn suboptions(&mut self, opt: &OptOf<'_>, inner: &TableOf<'_>, value: Json, at: &[Segment], place: &Place) -> Json {
        let context: Vec<String> = place.context.iter().cloned().chain([opt.name.to_owned()]).collect();
        match value {
            Json::Object(map) => {
                let place = Place { module: place.module, path: at, context: &context, missing: &|_| None };
                Json::Object(self.table(inner, &map, &place))
            }
            Json::Array(items) => Json::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let at: Vec<Segment> = at.iter().cloned().chain([Segment::Index(index)]).collect();
                        match item {
                            Json::Object(map) => {
                                let place = Place { module: place.module, path: &at, context: &context, missing: &|_| None };
                                Json::Object(self.table(inner, &map, &place))
                            }
                            other => other,
                        }
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    fn push(&mut self, option: String, place: &Place, target: Target, message: String) {
        let path = place.join(Segment::Key(option.clone()));
        self.errors.push(ArgError { option, path, target, message, hint: None });
    }

    fn push_whole(&mut self, place: &Place, message: String) {
        self.errors.push(ArgError { option: String::new(), path: place.path.to_vec(), target: Target::Value, message, hint: None });
    }
}

/// What is known of a table's options by their canonical names.
struct Named<'a> {
    as_written: &'a dyn Fn(&str) -> String,
    known: &'a dyn Fn(&str) -> Certainty,
}

impl Named<'_> {
    /// Whether the option is given for certain.
    fn is_given(&self, option: &str, values: &JsonMap) -> bool {
        values.contains_key(option) && (self.known)(option) != Certainty::Open
    }
}

fn fill_defaults(table: &TableOf<'_>, values: &mut JsonMap) {
    for opt in &table.options {
        if let (None, Some(default)) = (values.get(opt.name), &opt.default) {
            values.insert(opt.name.to_owned(), default.clone());
        }
    }
}

/// The option at the beginning of a path.
fn written_option(path: &[Segment]) -> String {
    path.iter().rev().find_map(|segment| if let Segment::Key(key) = segment { Some(key.clone()) } else { None }).unwrap_or_default()
}

fn collect_texts(value: &Json, into: &mut Vec<String>) {
    match value {
        Json::Null | Json::Bool(_) => {}
        Json::Number(number) => into.push(number.to_string()),
        Json::String(text) if text.is_empty() => {}
        Json::String(text) => into.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect_texts(item, into)),
        Json::Object(map) => map.values().for_each(|item| collect_texts(item, into)),
    }
}

impl std::fmt::Display for ArgError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ArgError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    fn messages(module: &str, args: Json) -> Vec<String> {
        let Json::Object(args) = args else { panic!("arguments are a dict") };
        match registry::find(module).unwrap().spec().check(&args) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.into_iter().map(|error| error.message).collect(),
        }
    }

    #[track_caller]
    fn check(module: &str, args: Json, expected: &[&str]) {
        assert_eq!(messages(module, args), expected);
    }

    #[test]
    fn mistakes_in_ansibles_words_and_order() {
        use serde_json::json;
        check("stat", json!({}), &["missing required arguments: path"]);
        let supported = "Supported parameters include: checksum_algorithm, follow, get_attributes, get_checksum, get_mime, \
                         get_selinux_context, path (attr, attributes, checksum, checksum_algo, dest, mime, mime-type, mime_type, name).";
        check("stat", json!({"path": "/", "foo": 1}), &[&format!("Unsupported parameters for (stat) module: foo. {supported}")]);
        check(
            "stat",
            json!({"foo": 1}),
            &["missing required arguments: path", &format!("Unsupported parameters for (stat) module: foo. {supported}")],
        );
        check(
            "stat",
            json!({"path": "/", "foo": 1, "bar": 2}),
            &[&format!("Unsupported parameters for (stat) module: bar, foo. {supported}"), "`stat` has no option `foo`"],
        );
        check(
            "file",
            json!({"path": "/", "state": null}),
            &["value of state must be one of: absent, directory, file, hard, link, touch, got: None"],
        );
        check(
            "stat",
            json!({"path": "/", "checksum_algorithm": "foo"}),
            &["value of checksum_algorithm must be one of: md5, sha1, sha224, sha256, sha384, sha512, got: foo"],
        );
        check(
            "stat",
            json!({"path": "/", "follow": ["x"]}),
            &["argument 'follow' is of type list and we were unable to convert to bool: <class 'list'> cannot be converted to a bool"],
        );
    }

    #[test]
    fn what_is_not_known_yet_is_no_mistake() {
        use serde_json::json;
        let check = |args: Json, open: &[&str], expected: &[&str]| {
            let Json::Object(args) = args else { panic!("arguments are a dict") };
            let certainty = |name: &str| if open.contains(&name) { Certainty::Open } else { Certainty::Known };
            let found = registry::find("file").unwrap().spec().check_known("file", &args, &certainty);
            let found: Vec<String> = found.err().into_iter().flatten().map(|error| error.message).collect();
            assert_eq!(found, expected);
        };
        check(json!({"path": "{{ p }}", "state": "{{ s }}"}), &["path", "state"], &[]);
        check(
            json!({"dest": "{{ p }}", "follow": "maybe"}),
            &["dest"],
            &[
                "argument 'follow' is of type str and we were unable to convert to bool: The value 'maybe' is not a valid boolean. Valid booleans include: 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
            ],
        );
        check(json!({"state": "{{ s }}"}), &["state"], &["missing required arguments: path"]);
        check(json!({"path": "/x", "nope": "{{ n | default(omit) }}"}), &["nope"], &[]);
    }

    #[test]
    fn names_become_canonical_and_defaults_are_there() {
        let args: JsonMap = serde_json::from_value(serde_json::json!({"dest": "/x", "follow": "yes", "attr": 0})).unwrap();
        let checked = registry::find("stat").unwrap().spec().check(&args).unwrap();
        assert_eq!(checked.args["path"], "/x");
        assert_eq!(checked.args["follow"], true);
        assert_eq!(checked.args["get_attributes"], false);
        assert_eq!(checked.args["checksum_algorithm"], "sha1");
        assert!(!checked.args.contains_key("dest"));
    }

    #[test]
    fn a_mistake_knows_its_place_and_a_better_name() {
        let args: JsonMap = serde_json::from_value(serde_json::json!({"path": "/", "folow": true})).unwrap();
        let errors = registry::find("stat").unwrap().spec().check(&args).unwrap_err();
        assert_eq!(errors[0].path, [Segment::Key("folow".to_owned())]);
        assert_eq!(errors[0].target, Target::Key);
        assert_eq!(errors[0].hint.as_deref(), Some("did you mean `follow`?"));
    }
}
