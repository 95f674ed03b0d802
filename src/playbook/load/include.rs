//! `import_tasks` and `import_role` (replaced by what they import), `include_tasks` and `include_role` (met at run time).

use std::sync::Arc;

use super::files::task_file_candidates;
use super::keywords::Written;
use super::task::{Call, apply_keywords};
use super::{Loader, role};
use crate::playbook::keyword::Inherit;
use crate::playbook::{Block, Context, Entry, IncludeRole, IncludeTasks, Keyword, Loop, Place, RoleFiles};
use crate::source::{Diagnostic, Diagnostics, Severity, Span, Spanned};
use crate::template::print::shown;
use crate::value::{Map, Value};
use crate::yaml::Node;

const TASKS_OPTIONS: &[&str] = &["apply", "file"];
const ROLE_OPTIONS: &[&str] = &[
    "allow_duplicates",
    "apply",
    "defaults_from",
    "handlers_from",
    "name",
    "public",
    "rescuable",
    "role",
    "rolespec_validate",
    "tasks_from",
    "vars_from",
];

/// The keywords that includes take: what else is to hold for what they include is `apply`'s.
const KEYWORDS_OF_INCLUDES: &[Keyword] = &[
    Keyword::Action,
    Keyword::Args,
    Keyword::Collections,
    Keyword::Debugger,
    Keyword::IgnoreErrors,
    Keyword::Listen,
    Keyword::Loop,
    Keyword::LoopControl,
    Keyword::Name,
    Keyword::NoLog,
    Keyword::Register,
    Keyword::RunOnce,
    Keyword::Tags,
    Keyword::Timeout,
    Keyword::Vars,
    Keyword::When,
];

/// What ansible-core calls an include that is met at run time.
pub(super) fn include_kind(module: &str, place: Place) -> Option<&'static str> {
    match module {
        "include_role" => Some("IncludeRole"),
        "include_tasks" if place == Place::Handler => Some("HandlerTaskInclude"),
        "include_tasks" => Some("TaskInclude"),
        _ => None,
    }
}

impl Loader<'_> {
    /// Refuses the keywords that an include cannot have, or takes them away with a warning.
    pub(super) fn check_include(&self, node: &Node, written: &mut Written<'_>, kind: &str, diagnostics: &mut Diagnostics) {
        for (key, _) in node.as_mapping().unwrap_or_default() {
            let Some(row) = key.as_str().and_then(Keyword::row_named).filter(|row| !KEYWORDS_OF_INCLUDES.contains(&row.keyword)) else {
                continue;
            };
            match self.world.invalid_keywords {
                Severity::Error => {
                    // `local_action` is an action and a delegate.
                    let name = if row.keyword == Keyword::LocalAction { Keyword::DelegateTo.name() } else { row.name };
                    let error = key.error(format!("'{name}' is not a valid attribute for a {kind}"));
                    let hint = "an include does not hand it on: write it in `apply`, or on a block around the include";
                    diagnostics.push(if row.inherit == Inherit::No { error } else { error.hint(hint) });
                }
                Severity::Warning => {
                    diagnostics.push(Diagnostic::warning(format!("Ignoring invalid attribute: {}", row.name)));
                    written.drop_keyword(row.keyword);
                }
            }
        }
    }

    pub(super) fn include_tasks(&self, call: &Call<'_>, written: &Written<'_>, diagnostics: &mut Diagnostics) -> Option<IncludeTasks> {
        check_options(call, TASKS_OPTIONS, diagnostics);
        let file = file_name(call, diagnostics)?;
        let apply = apply_keywords(self, option_node(call, "apply"), diagnostics);
        Some(IncludeTasks { written: Arc::clone(&call.name.written), file, vars: own_vars(written), apply })
    }

    pub(super) fn import_tasks(
        &self,
        call: &Call<'_>,
        written: &Written<'_>,
        looping: Option<&Loop>,
        context: &Arc<Context>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Entry> {
        check_options(call, &["file"], diagnostics);
        refuse_loop(call, looping, diagnostics);
        let file = file_name(call, diagnostics)?;
        let inner = self.imported(context, written, &file.span, diagnostics)?;
        let name = match self.render(&file, &inner) {
            Ok(Value::Text(name)) => name,
            Ok(other) => {
                diagnostics.push(file.error(format!("the name of a file must be a text, found a {}", other.type_name())));
                return None;
            }
            Err(diagnostic) => {
                let hint = "`import_tasks` is read before any host is met: its name may use extra variables and variables of the play and role; `include_tasks` may use all";
                let message = format!("Error when evaluating variable in import path '{}': {}", shown(&file.value), diagnostic.message);
                diagnostics.push(Diagnostic { message, ..diagnostic }.hint(hint));
                return None;
            }
        };
        let candidates = task_file_candidates(name.as_str(), &inner);
        let path = self.find(&candidates, &file.span, diagnostics)?;
        let tasks = self.tasks_file(&path, &inner, diagnostics);
        Some(Entry::Block(Arc::new(Block::of(tasks))))
    }

    pub(super) fn include_role(&self, call: &Call<'_>, written: &Written<'_>, diagnostics: &mut Diagnostics) -> Option<IncludeRole> {
        check_options(call, ROLE_OPTIONS, diagnostics);
        let name = role_option(call, diagnostics)?;
        let option = |name: &str| call.args.get(name).cloned();
        Some(IncludeRole {
            written: Arc::clone(&call.name.written),
            name,
            vars: own_vars(written),
            from: RoleFiles {
                tasks: option("tasks_from"),
                vars: option("vars_from"),
                defaults: option("defaults_from"),
                handlers: option("handlers_from"),
            },
            apply: apply_keywords(self, option_node(call, "apply"), diagnostics),
            public: option("public"),
            allow_duplicates: option("allow_duplicates"),
            rescuable: option("rescuable"),
            rolespec_validate: option("rolespec_validate"),
        })
    }

    pub(super) fn import_role(
        &self,
        call: &Call<'_>,
        written: &Written<'_>,
        looping: Option<&Loop>,
        context: &Arc<Context>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Entry> {
        check_options(call, ROLE_OPTIONS, diagnostics);
        refuse_loop(call, looping, diagnostics);
        let name = role_option(call, diagnostics)?;
        let inner = self.imported(context, written, &name.span, diagnostics)?;
        let mut text = |value: &Spanned<Value>| match self.render(value, &inner) {
            Ok(value) => value.as_str().map(str::to_owned),
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                None
            }
        };
        let role_name = text(&name)?;
        let mut option = |name: &str| call.args.get(name).and_then(&mut text);
        let from = RoleFiles {
            tasks: option("tasks_from"),
            vars: option("vars_from"),
            defaults: option("defaults_from"),
            handlers: option("handlers_from"),
        };
        let allow_duplicates = call.args.get("allow_duplicates").and_then(|value| value.value.as_bool());
        let wanted = role::Wanted {
            from,
            allow_duplicates: allow_duplicates.or(Some(true)),
            included_with: Some(own_vars(written)),
            public: call.args.get("public").map(|value| super::play::is_yes(&value.value)),
            validates: call.args.get("rolespec_validate").and_then(|value| value.value.as_bool()).unwrap_or(true),
            ..role::Wanted::new(Spanned::new(role_name, name.span.clone()))
        };
        let loaded = self.role(&wanted, &Arc::new(inner), diagnostics)?;
        self.imported_handlers.borrow_mut().extend(loaded.handlers);
        self.imported_roles.borrow_mut().extend(loaded.roles);
        Some(Entry::Block(Arc::new(loaded.tasks)))
    }

    /// The context of what is imported: the keywords of the import are those of all that is imported. `None` where imports have no end.
    fn imported(&self, context: &Arc<Context>, written: &Written<'_>, named_at: &Span, diagnostics: &mut Diagnostics) -> Option<Context> {
        let mut inner = Context::clone(context);
        inner.imports += 1;
        if inner.imports > MOST_IMPORTS {
            self.missing.set(true);
            let message = format!("imports are nested more than {MOST_IMPORTS} deep: does a file import itself?");
            let hint =
                "static imports are read whole before any host is met; `include_tasks` and `include_role` are asked for their `when` first";
            diagnostics.push(Diagnostic::error(message).at(named_at).hint(hint));
        }
        // Told once: a file that imports itself twice would else be read more often than there is time for.
        if is_lost(inner.imports, MOST_IMPORTS, diagnostics) {
            return None;
        }
        inner.keywords = context.keywords.inherited_by(written.inherited.clone());
        Some(inner)
    }
}

/// Deeper than any real nesting.
const MOST_IMPORTS: usize = 50;

/// Whether something so deep is not worth reading any more: too deep, or fairly deep below what is wrong already.
pub(super) fn is_lost(depth: usize, most: usize, diagnostics: &Diagnostics) -> bool {
    depth > most || (depth > 8 && diagnostics.has_errors())
}

fn file_name(call: &Call<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Value>> {
    let free = call.args.free_form.clone().map(|text| text.map(Value::Text));
    let file = call.args.get("file").cloned().or(free);
    if file.is_none() {
        let name = &call.name.written;
        diagnostics
            .push(Diagnostic::error(format!("No file specified for {name}")).at(&call.name.span).hint(format!("write `{name}: FILE.yml`")));
    }
    file
}

fn role_option(call: &Call<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Value>> {
    let name = call.args.get("name").or_else(|| call.args.get("role")).cloned();
    if name.is_none() {
        let written = &call.name.written;
        diagnostics.push(Diagnostic::error(format!("'name' is a required field for {written}.")).at(&call.name.span));
    }
    name
}

fn check_options(call: &Call<'_>, known: &[&str], diagnostics: &mut Diagnostics) {
    let name = &call.name.written;
    for (option, _) in call.args.options.iter().filter(|(option, _)| !known.contains(&&*option.value)) {
        let diagnostic = option.error(format!("Invalid options for {name}: {}", option.value));
        diagnostics.push(match crate::playbook::did_you_mean(&option.value, known.iter().copied()) {
            Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
            None => {
                diagnostic.hint(format!("its options are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
            }
        });
    }
}

fn refuse_loop(call: &Call<'_>, looping: Option<&Loop>, diagnostics: &mut Diagnostics) {
    if let Some(looping) = looping {
        let (import, include) = (&call.name.written, call.name.written.replace("import_", "include_"));
        let message = format!("You cannot use loops on '{import}' statements. You should use '{include}' instead.");
        diagnostics.push(Diagnostic::error(message).at(&looping.items.span).label(&call.name.span, "read before any host is met"));
    }
}

fn option_node<'n>(call: &Call<'n>, name: &str) -> Option<&'n Node> {
    call.value.get(name)
}

fn own_vars(written: &Written<'_>) -> Arc<Map> {
    written.inherited.vars.last().cloned().unwrap_or_default()
}
