//! A task: which module it calls, with what, under which keywords.

use std::sync::Arc;

use super::include::include_kind;
use super::keywords::{VARIABLE_NAME, Written, not_valid, spanned};
use super::{Known, Loader, args};
use crate::playbook::{
    ActionName, Context, Entry, Keyword, Keywords, Loop, LoopControl, Meta, ModuleCall, Place, Register, Routed, Task, TaskArgs, Work,
    did_you_mean,
};
use crate::source::{Diagnostic, Diagnostics, Spanned, short_name};
use crate::value::{Text, Value};
use crate::vars::is_variable_name;
use crate::yaml::Node;

/// The module of a task, as found among its keys.
pub(super) struct Call<'n> {
    pub name: ActionName,
    pub args: TaskArgs,
    pub value: &'n Node,
    /// `local_action`: delegated to localhost.
    pub local: bool,
}

/// Tasks that are replaced by what they import, or met at run time.
pub(super) const INCLUDES: &[&str] = &["import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "meta"];

impl Loader<'_> {
    /// A task, or the block that an import stands for.
    pub(super) fn task(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Option<Entry> {
        let place = if context.handlers { Place::Handler } else { Place::Task };
        let mut written = self.written(node, place, diagnostics);
        let looping = self.take_loop(&mut written, place, diagnostics);
        let own = written.inherited.collections();
        let searched = if own.is_empty() { context.keywords.collections() } else { own };
        let call = self.call(node, &written, place, &searched, diagnostics)?;
        if call.local {
            written.inherited.set(Keyword::DelegateTo, Spanned::new(Value::text("localhost"), call.name.span.clone()));
        }
        if let Some(kind) = include_kind(&call.name.short, place) {
            self.check_include(node, &mut written, kind, diagnostics);
        }
        match &*call.name.short {
            "import_role" | "include_role" if context.handlers => {
                diagnostics
                    .push(Diagnostic::error(format!("Using '{}' as a handler is not supported.", call.name.written)).at(&call.name.span));
                None
            }
            "import_tasks" => self.import_tasks(&call, &written, looping.as_ref(), context, diagnostics),
            "import_role" => self.import_role(&call, &written, looping.as_ref(), context, diagnostics),
            "import_playbook" => {
                diagnostics.push(node.error("`import_playbook` stands in a list of plays, not in a list of tasks"));
                None
            }
            _ => {
                let work = self.work(call, &written, context, diagnostics)?;
                Some(Entry::Task(Arc::new(self.finish(node, &written, looping, work, context, diagnostics))))
            }
        }
    }

    fn finish(
        &self,
        node: &Node,
        written: &Written<'_>,
        looping: Option<Loop>,
        work: Work,
        context: &Arc<Context>,
        diagnostics: &mut Diagnostics,
    ) -> Task {
        Task {
            span: node.span.clone(),
            name: written.own_value(Keyword::Name).filter(|name| !name.value.is_null()),
            work,
            keywords: context.keywords.inherited_by(written.inherited.clone()),
            context: Arc::clone(context),
            looping,
            loop_control: written.own(Keyword::LoopControl).map(|node| self.loop_control(node, diagnostics)).unwrap_or_default(),
            register: written.own(Keyword::Register).and_then(|node| register(node, diagnostics)),
            until: written.own_list(Keyword::Until),
            retries: written.own_value(Keyword::Retries),
            delay: written.own_value(Keyword::Delay),
            changed_when: written.own_list(Keyword::ChangedWhen),
            failed_when: written.own_list(Keyword::FailedWhen),
            async_limit: written.own_value(Keyword::Async),
            poll: written.own_value(Keyword::Poll),
            listen: written.own_list(Keyword::Listen).iter().filter_map(|topic| topic.value.as_str().map(str::to_owned)).collect(),
            is_handler: context.handlers,
            implicit: false,
        }
    }

    /// The one key that names a module.
    pub(super) fn call<'n>(
        &self,
        node: &'n Node,
        written: &Written<'n>,
        place: Place,
        searched: &[String],
        diagnostics: &mut Diagnostics,
    ) -> Option<Call<'n>> {
        let mut found: Vec<(&Node, &Node, bool)> = written.rest.iter().map(|(key, value)| (*key, *value, false)).collect();
        let (unknown_keywords, modules): (Vec<_>, Vec<_>) =
            found.drain(..).partition(|(key, ..)| key.as_str().is_some_and(|name| self.is_keyword_typo(name)));
        for (key, ..) in &unknown_keywords {
            diagnostics.push(not_valid(key, place));
        }
        let explicit: Vec<(&Node, &Node, bool)> = written
            .own
            .iter()
            .filter(|(keyword, ..)| matches!(keyword, Keyword::Action | Keyword::LocalAction))
            .map(|(keyword, key, value)| (*key, *value, *keyword == Keyword::LocalAction))
            .collect();
        match (&modules[..], &explicit[..]) {
            ([], []) => {
                if unknown_keywords.is_empty() {
                    diagnostics
                        .push(node.error("no module/action detected in task.").hint("a task names one module: `debug: {msg: hello}`"));
                }
                None
            }
            ([(key, value, _)], []) => {
                let name = self.action_name(key.as_str()?, key, searched, diagnostics)?;
                let args = self.args(&name, value, written, diagnostics)?;
                Some(Call { name, args, value, local: false })
            }
            ([], [(key, value, local)]) => self.explicit_call(key, value, *local, written, searched, diagnostics),
            _ => {
                let names: Vec<&str> = modules.iter().chain(&explicit).filter_map(|(key, ..)| key.as_str()).collect();
                let mut diagnostic = Diagnostic::error(format!("conflicting action statements: {}", names.join(", ")));
                for (key, ..) in modules.iter().chain(&explicit) {
                    diagnostic = diagnostic.at(&key.span);
                }
                let stray = names.iter().find(|name| (self.world.module)(short_name(name)) == Known::No);
                let rows = crate::playbook::KEYWORDS.iter().filter(|row| row.places.contains(&place)).map(|row| row.name);
                diagnostics.push(match stray.and_then(|name| did_you_mean(name, rows)) {
                    Some(meant) => diagnostic.hint(format!("did you mean the keyword `{meant}`?")),
                    None => diagnostic.hint("a task names one module only"),
                });
                None
            }
        }
    }

    /// A key that is a keyword elsewhere, or a `with_…` that no lookup backs.
    fn is_keyword_typo(&self, name: &str) -> bool {
        (Keyword::row_named(name).is_some() && (self.world.module)(name) == Known::No) || name.starts_with("with_")
    }

    /// `action: copy src=a`, `action: {module: copy, src: a}`.
    fn explicit_call<'n>(
        &self,
        key: &'n Node,
        value: &'n Node,
        local: bool,
        written: &Written<'n>,
        searched: &[String],
        diagnostics: &mut Diagnostics,
    ) -> Option<Call<'n>> {
        if let Some(text) = value.as_text() {
            let whole = text.as_str().trim();
            let (module, rest) = args::first_word(whole);
            let name = self.action_name(module, value, searched, diagnostics)?;
            let rest = if text.is_trusted() { Text::trusted(rest.trim(), text.origin().cloned()) } else { Text::new(rest.trim()) };
            let mut args = report(args::parse(&name.short, &rest, &value.span), diagnostics)?;
            self.add_args_keyword(&mut args, written, diagnostics);
            return Some(Call { name, args, value, local });
        }
        let Some((module_key, module)) = value.entry("module") else {
            diagnostics.push(value.error(format!("`{}` needs the name of a module", key.as_str().unwrap_or("action"))));
            return None;
        };
        let text = module.as_text()?;
        let whole = text.as_str().trim();
        let (first, rest) = args::first_word(whole);
        let name = self.action_name(first, module, searched, diagnostics)?;
        let rest = if text.is_trusted() { Text::trusted(rest.trim(), text.origin().cloned()) } else { Text::new(rest.trim()) };
        let beside = report(args::parse(&name.short, &rest, &module.span), diagnostics)?;
        // `args` of the mapping wins over what stands beside the module's name, and that over the other keys.
        let mut args = TaskArgs { free_form: beside.free_form, variables: beside.variables, ..TaskArgs::default() };
        for (option, given) in value.get("args").and_then(Node::as_mapping).unwrap_or_default() {
            push_option(&mut args, option, given, diagnostics);
        }
        for (option, given) in beside.options {
            if args.get(&option.value).is_none() {
                args.options.push((option, given));
            }
        }
        for (option, given) in value.as_mapping().unwrap_or_default() {
            let name = option.as_str().unwrap_or_default();
            let taken = option.as_str() == module_key.as_str() || (name == "args" && given.as_mapping().is_some());
            if !taken && args.get(name).is_none() {
                push_option(&mut args, option, given, diagnostics);
            }
        }
        self.add_args_keyword(&mut args, written, diagnostics);
        Some(Call { name, args, value, local })
    }

    fn action_name(&self, written: &str, at: &Node, searched: &[String], diagnostics: &mut Diagnostics) -> Option<ActionName> {
        if written.contains("{{") {
            // Known once it is rendered.
            return Some(ActionName::new(written, at.span.clone()));
        }
        let (full, file) = match self.route(written, searched) {
            Routed::To { name, warnings, file } => {
                warnings.into_iter().for_each(|warning| diagnostics.push(Diagnostic::warning(warning).at(&at.span)));
                (name, file)
            }
            Routed::Refused(message) => {
                self.missing.set(true);
                diagnostics.push(at.error(message));
                return None;
            }
            Routed::Missing => (written.to_owned(), false),
        };
        let short = short_name(&full);
        let name = ActionName { written: Arc::from(written), short: Arc::from(short), span: at.span.clone() };
        let known = match self.known(short) {
            Known::No if INCLUDES.contains(&short) => Known::Yes,
            Known::No if file => Known::NotYet,
            known => known,
        };
        match known {
            Known::Yes => Some(name),
            Known::NotYet => {
                let message = format!("the module `{written}` is not supported yet: a task that meets it fails");
                diagnostics.push(Diagnostic::warning(message).at(&at.span));
                Some(name)
            }
            Known::No => {
                let message = format!(
                    "couldn't resolve module/action '{written}'. This often indicates a misspelling, missing collection, or incorrect module path."
                );
                let diagnostic = at.error(message);
                let keywords = crate::playbook::KEYWORDS.iter().map(|row| row.name);
                let names = self.world.module_names.iter().copied().chain(keywords);
                diagnostics.push(match did_you_mean(short, names) {
                    Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
                    None => diagnostic,
                });
                None
            }
        }
    }

    /// Where a name leads: a full one by itself, a short one through the collections that are searched.
    pub(super) fn route(&self, written: &str, searched: &[String]) -> Routed {
        if written.matches('.').count() >= 2 {
            return self.world.collections.module(written);
        }
        let own = || Routed::To { name: written.to_owned(), warnings: Vec::new(), file: false };
        if written.contains('.') {
            return own();
        }
        let found = searched.iter().find_map(|collection| match self.world.collections.module(&format!("{collection}.{written}")) {
            Routed::Missing => None,
            // Of Ansible's own collection every name leads to itself, also one that is not there.
            Routed::To { name, file: false, .. } if (self.world.module)(short_name(&name)) == Known::No => None,
            routed => Some(routed),
        });
        found.unwrap_or_else(own)
    }

    fn args(&self, name: &ActionName, value: &Node, written: &Written<'_>, diagnostics: &mut Diagnostics) -> Option<TaskArgs> {
        let mut args = TaskArgs::default();
        if let Some(text) = value.as_text() {
            args = report(args::parse(&name.short, text, &value.span), diagnostics)?;
        } else if let Some(entries) = value.as_mapping() {
            for (option, given) in entries {
                push_option(&mut args, option, given, diagnostics);
            }
        } else if !value.is_null() {
            if args::is_free_form(&name.short) && value.as_sequence().is_none() {
                args.free_form = Some(Spanned::new(Text::from(value.span.text()), value.span.clone()));
            } else {
                diagnostics.push(value.error(format!("unexpected parameter type in action: {}", value.type_name())));
                return None;
            }
        }
        self.add_args_keyword(&mut args, written, diagnostics);
        Some(args)
    }

    /// `args:` lies under what is written at the module.
    fn add_args_keyword(&self, args: &mut TaskArgs, written: &Written<'_>, diagnostics: &mut Diagnostics) {
        let Some(node) = written.own(Keyword::Args).filter(|node| !node.is_null()) else { return };
        if let Some(entries) = node.as_mapping() {
            for (option, given) in entries {
                let there = option.as_str().is_some_and(|name| args.get(name).is_some());
                if !there {
                    push_option(args, option, given, diagnostics);
                }
            }
        } else if let Some(text) = node.as_text().filter(|text| text.as_str().contains("{{")) {
            args.variables.insert(0, Spanned::new(text.clone(), node.span.clone()));
        } else {
            let message = "the value of the task `args` keyword is invalid: a mapping or template which resolves to a mapping is required";
            diagnostics.push(node.error(message));
        }
    }

    fn work(&self, call: Call<'_>, written: &Written<'_>, context: &Context, diagnostics: &mut Diagnostics) -> Option<Work> {
        Some(match &*call.name.short {
            "include_tasks" => Work::IncludeTasks(self.include_tasks(&call, written, diagnostics)?),
            "include_role" => Work::IncludeRole(self.include_role(&call, written, diagnostics)?),
            "meta" => {
                let Some(text) = &call.args.free_form else {
                    diagnostics.push(call.value.error("`meta` needs the name of an action").hint("for example `meta: flush_handlers`"));
                    return None;
                };
                let meta = Spanned::new(Meta::parse(text.value.as_str()), text.span.clone());
                if meta.value == Meta::EndRole && (context.handlers || context.role.is_none()) {
                    let place = if context.handlers { "a handler" } else { "outside of a role" };
                    diagnostics.push(meta.error(format!("Cannot execute 'end_role' from {place}")));
                    return None;
                }
                Work::Meta(meta)
            }
            _ => {
                let keywords = context.keywords.inherited_by(written.inherited.clone());
                let defaults = self.module_defaults(&keywords, &call.name);
                Work::Module(ModuleCall { name: call.name, args: call.args, defaults })
            }
        })
    }

    fn take_loop(&self, written: &mut Written<'_>, place: Place, diagnostics: &mut Diagnostics) -> Option<Loop> {
        let mut loops: Vec<(&Node, Loop)> = Vec::new();
        // Without a value it is as if it were not there.
        if let Some((_, key, items)) = written.own.iter().find(|(keyword, _, items)| *keyword == Keyword::Loop && !items.is_null()) {
            loops.push((key, Loop { lookup: None, items: spanned(items) }));
        }
        let mut rest = Vec::new();
        for (key, value) in written.rest.drain(..) {
            let lookup = key.as_str().and_then(|name| name.strip_prefix("with_")).filter(|name| (self.world.lookup)(name));
            match lookup {
                Some(lookup) if value.is_null() => {
                    diagnostics.push(key.error(format!("you must specify a value when using with_{lookup}")));
                }
                Some(lookup) => {
                    let lookup = Spanned::new(lookup.to_owned(), key.span.clone());
                    loops.push((key, Loop { lookup: Some(lookup), items: spanned(value) }));
                }
                None => rest.push((key, value)),
            }
        }
        written.rest = rest;
        if let [(first, _), (second, _), ..] = &loops[..] {
            self.missing.set(true);
            let diagnostic = Diagnostic::error(format!(
                "duplicate loop in task: {}",
                second.as_str().map_or("loop", |name| name.trim_start_matches("with_"))
            ))
            .at(&second.span);
            diagnostics.push(diagnostic.label(&first.span, format!("the first, in a {place}")));
        }
        loops.into_iter().next().map(|(_, looping)| looping)
    }

    fn loop_control(&self, node: &Node, diagnostics: &mut Diagnostics) -> LoopControl {
        if node.as_mapping().is_none() {
            let message = "the `loop_control` value must be specified as a dictionary and cannot be a variable itself (though it can contain variables)";
            diagnostics.push(node.error(message));
            return LoopControl::default();
        }
        let written = self.written(node, Place::LoopControl, diagnostics);
        for (key, _) in &written.rest {
            diagnostics.push(not_valid(key, Place::LoopControl));
        }
        LoopControl {
            loop_var: written.own_value(Keyword::LoopVar),
            index_var: written.own_value(Keyword::IndexVar),
            label: written.own_value(Keyword::Label),
            pause: written.own_value(Keyword::Pause),
            extended: written.own_value(Keyword::Extended),
            extended_allitems: written.own_value(Keyword::ExtendedAllitems),
            break_when: written.own_list(Keyword::BreakWhen),
        }
    }
}

fn push_option(args: &mut TaskArgs, option: &Node, given: &Node, diagnostics: &mut Diagnostics) {
    let Some(name) = option.as_str() else {
        diagnostics.push(option.error(format!("an option's name must be a text, found a {}", option.type_name())));
        return;
    };
    if name == "_raw_params"
        && let Some(text) = given.as_text()
    {
        args.free_form = Some(Spanned::new(text.clone(), given.span.clone()));
        return;
    }
    args.options.push((Spanned::new(Arc::from(name), option.span.clone()), spanned(given)));
}

fn register(node: &Node, diagnostics: &mut Diagnostics) -> Option<Register> {
    if let Some(entries) = node.as_mapping() {
        let names = entries.iter().filter_map(|(key, value)| Some((register_name(key, diagnostics)?, spanned(value))));
        return Some(Register::Projection(names.collect()));
    }
    register_name(node, diagnostics).map(Register::Name)
}

fn register_name(node: &Node, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
    match node.as_str() {
        Some(name) if is_variable_name(name) => Some(Spanned::new(name.to_owned(), node.span.clone())),
        _ => {
            let shown = node.as_str().map_or_else(|| node.span.text().to_owned(), str::to_owned);
            diagnostics.push(node.error(format!("Invalid 'register' specified: Invalid variable name '{shown}'.")).hint(VARIABLE_NAME));
            None
        }
    }
}

/// Pushes the error, if it is one.
pub(super) fn report<T>(result: Result<T, Diagnostic>, diagnostics: &mut Diagnostics) -> Option<T> {
    result.map_err(|diagnostic| diagnostics.push(diagnostic)).ok()
}

/// Keywords of `apply:`.
pub(super) fn apply_keywords(loader: &Loader<'_>, node: Option<&Node>, diagnostics: &mut Diagnostics) -> Arc<Keywords> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Arc::default() };
    if node.as_mapping().is_none() {
        diagnostics.push(node.error(format!("Expected a dict for apply but got {} instead", node.type_name())));
        return Arc::default();
    }
    let written = loader.written(node, Place::Block, diagnostics);
    for (key, _) in &written.rest {
        diagnostics.push(not_valid(key, Place::Block));
    }
    Arc::new(written.inherited)
}
