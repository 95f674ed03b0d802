//! One play: its hosts, its prompts and variable files, its batches.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::Batch;
use super::keywords::{not_converted, to_int};
use super::tags::wrong_tag;
use super::{Executor, Gathering, Stop, static_scope};
use crate::action::to_bool;
use crate::event::Event;
use crate::inventory::{HostId, HostPattern, Inventory, LOCALHOST};
use crate::playbook::load::{Loader, normal, of_play};
use crate::playbook::{ActionName, Block, Context, Entry, Keyword, Keywords, Meta, ModuleCall, Play, Task, TaskArgs, VarsPrompt, Work};
use crate::source::{Diagnostic, Diagnostics, Span, Spanned, absolute};
use crate::template;
use crate::template::Templar;
use crate::template::filter::hash_password;
use crate::template::print::shown;
use crate::value::{Map, Text, Value};
use crate::vars::{Layer, PlayVars, Precedence, load_play_vars_file};
use crate::vault::{self, Vault};

impl Executor<'_> {
    pub(super) fn play(&mut self, play: &Arc<Play>) -> Result<(), Stop> {
        self.check_interrupt()?;
        let context = Arc::new(self.template_context(&play.dir, vec![absolute(&play.dir)]));
        let prompted = Arc::new(self.prompts(play, &context)?);
        let reader =
            PlayReader { extra: self.vars.extra_vars(), prompted: &prompted, play, context: &context, engine: &self.shared.engine };
        let hosts_value = reader.value(&play.hosts)?;
        let patterns = Play::patterns(&hosts_value).map_err(|message| Stop::Load(vec![play.hosts.error(message)]))?;
        let pattern_text = play.hosts_name(&hosts_value);
        let name = match &play.name {
            Some(name) => shown(&reader.keyword("name", name)?),
            None => pattern_text.clone(),
        };
        let validation = Self::validation(play, &reader)?;
        let strategy = reader.text(Keyword::Strategy)?.unwrap_or_else(|| self.options.strategy.clone());
        let strategy = super::batch::Strategy::parse(&strategy).map_err(|diagnostic| {
            let at = play.get(Keyword::Strategy).map_or(&play.span, |written| &written.span);
            Stop::Error(Box::new(diagnostic.at(at)))
        })?;
        let order = reader.text(Keyword::Order)?;
        let serial = reader.single(Keyword::Serial)?;
        let most_failed = reader.converted(Keyword::MaxFailPercentage, "percent", percent)?;
        reader.converted(Keyword::GatherTimeout, "int", to_int)?;
        let force = reader.flag(Keyword::ForceHandlers)?.unwrap_or(self.options.force_handlers);
        let gather = reader.flag(Keyword::GatherFacts)?;
        // Each task asks for itself: a host's variables may decide.
        let check = reader.flag(Keyword::CheckMode).ok().flatten().unwrap_or(self.options.check);
        let mut hosts_all = self.play_hosts(&patterns, &play.hosts)?;
        let mut inventory = Arc::clone(self.vars.inventory());
        let ordered = self.in_order(hosts_all.clone(), order.as_deref(), &play.hosts)?;
        let lockstep = strategy == super::batch::Strategy::Linear;
        let start = Event::PlayStart { name: name.clone(), check, span: play.span.clone(), lockstep };
        if hosts_all.is_empty() {
            self.tell(start);
            self.tell(Event::NoHostsMatched);
            return Ok(());
        }
        let (files, templated_files) = self.static_vars_files(play, &prompted, &context)?;
        let layers = self.play_layers(play, prompted, files);
        let batches = batches(&ordered, serial.as_ref()).map_err(|message| {
            let at = play.get(Keyword::Serial).map_or(&play.span, |written| &written.span);
            Stop::Error(Box::new(Diagnostic::error(message).at(at)))
        })?;
        let root = self.root(play, gather, validation)?;
        let tasks = root.all_tasks();
        let mut wrong_tag = wrong_tag(self, play, &tasks);
        // Hosts that were lost in earlier plays take up their places, and do nothing.
        for batch in batches {
            self.tell(start.clone());
            let hosts = self.still_alive(&batch);
            batch.iter().for_each(|host| _ = self.taken_along.remove(host));
            if hosts.is_empty() {
                continue;
            }
            if let Some(closed) = hosts.iter().find_map(|host| self.vars.unopened(*host)) {
                return Err(Stop::Load(vec![closed.clone()]));
            }
            if let Some(diagnostic) = wrong_tag.take() {
                return Err(Stop::Error(Box::new(diagnostic)));
            }
            // An earlier batch may have added hosts.
            if !Arc::ptr_eq(&inventory, self.vars.inventory()) {
                hosts_all = self.play_hosts(&patterns, &play.hosts)?;
                inventory = Arc::clone(self.vars.inventory());
            }
            let vars = PlayVars {
                name: name.clone(),
                hosts_all: hosts_all.clone(),
                hosts: self.still_alive(&hosts_all),
                batch: hosts.clone(),
                role_names: play.roles.iter().filter(|role| !role.is_dependency).map(|role| role.name.clone()).collect(),
                dependent_role_names: play.roles.iter().filter(|role| role.is_dependency).map(|role| role.name.clone()).collect(),
                layers: layers.clone(),
            };
            let before = self.failed.len() + self.unreachable.len();
            let size = batch.len();
            let mut batch = Batch::new(self, play, vars, &hosts, &root, strategy, force, most_failed, templated_files.clone());
            batch.size = size;
            if !batch.may_start(&tasks) {
                continue;
            }
            batch.run()?;
            let ended = batch.ends_play;
            // Fewer than before where `meta: clear_host_errors` brought some back.
            let lost = (self.failed.len() + self.unreachable.len()).saturating_sub(before);
            if lost >= size {
                return Err(Stop::AllFailed);
            }
            if ended {
                break;
            }
        }
        Ok(())
    }

    /// What templates may know beside variables.
    pub(super) fn template_context(&self, playbook_dir: &Path, search_path: Vec<std::path::PathBuf>) -> template::Context {
        template::Context {
            search_path,
            playbook_dir: absolute(playbook_dir),
            lookups: Arc::clone(&self.world.lookups),
            extensions: self.options.extensions,
            untrusted: self.options.untrusted,
        }
    }

    fn still_alive(&self, hosts: &[HostId]) -> Vec<HostId> {
        hosts.iter().copied().filter(|host| !self.failed.contains(host) && !self.unreachable.contains(host)).collect()
    }

    /// The hosts that a play means, in the order of its patterns.
    fn play_hosts(&mut self, patterns: &[String], written: &Spanned<Value>) -> Result<Vec<HostId>, Stop> {
        if patterns.is_empty() {
            return Ok(Vec::new());
        }
        let mut diagnostics = Diagnostics::new();
        // An implicit localhost is met only by its name.
        let wants_local = patterns.iter().flat_map(|pattern| pattern.split([',', ':'])).find(|name| LOCALHOST.contains(name));
        let is_explicit =
            |inventory: &Inventory, name: &str| inventory.host_named(name).is_some_and(|id| !inventory.host(id).is_implicit());
        if let Some(name) = wants_local.filter(|name| !is_explicit(self.vars.inventory(), name)) {
            let mut inventory = Inventory::clone(self.vars.inventory());
            inventory.implicit_localhost(name);
            self.vars = self.vars.with_inventory(Arc::new(inventory), &mut diagnostics);
        }
        let inventory = Arc::clone(self.vars.inventory());
        let failed = |error: crate::inventory::PatternError| Stop::Error(Box::new(written.error(error.to_string())));
        let pattern = HostPattern::parse_all(patterns.iter().map(String::as_str));
        let mut hosts = pattern.resolve(&inventory, &mut diagnostics).map_err(failed)?;
        if let Some(limit) = &self.options.limit {
            let limited = limit.resolve(&inventory, &mut Diagnostics::new()).map_err(failed)?;
            hosts.retain(|host| limited.contains(host));
        }
        self.report(diagnostics)?;
        Ok(hosts)
    }

    /// The hosts as `order` wants them.
    fn in_order(&self, mut hosts: Vec<HostId>, order: Option<&str>, written: &Spanned<Value>) -> Result<Vec<HostId>, Stop> {
        let inventory = self.vars.inventory();
        let by_name =
            |hosts: &mut Vec<HostId>| hosts.sort_by(|left, right| inventory.host(*left).name().cmp(inventory.host(*right).name()));
        match order {
            None | Some("inventory") => {}
            Some("reverse_inventory") => hosts.reverse(),
            Some("sorted") => by_name(&mut hosts),
            Some("reverse_sorted") => {
                by_name(&mut hosts);
                hosts.reverse();
            }
            Some("shuffle") => shuffle(&mut hosts),
            Some(other) => {
                let message =
                    format!("`order` is `{other}`, expected `inventory`, `sorted`, `reverse_sorted`, `reverse_inventory` or `shuffle`");
                return Err(Stop::Error(Box::new(written.error(message))));
            }
        }
        Ok(hosts)
    }

    /// What people answer to `vars_prompt`, before anything else of the play is looked at.
    fn prompts(&mut self, play: &Play, context: &Arc<template::Context>) -> Result<Map, Stop> {
        let mut answers = Map::new();
        let (extra, engine, none) = (self.vars.extra_vars(), Arc::clone(&self.shared.engine), Arc::default());
        let reader = PlayReader { extra: Arc::clone(&extra), prompted: &none, play, context, engine: &engine };
        for prompt in play.vars_prompt.iter().filter(|prompt| !extra.contains(&prompt.name.value)) {
            let text_of = |written: &Option<Value>| reader.prompt_text(prompt, written);
            let shown = text_of(&prompt.prompt)?.unwrap_or_else(|| prompt.name.value.clone());
            let default = text_of(&prompt.default)?;
            let text = match &default {
                Some(default) => format!("{shown} [{default}]: "),
                None => format!("{shown}: "),
            };
            let answer = loop {
                let Some(first) = self.world.console.ask(&text, !prompt.private) else { break None };
                if !prompt.confirm || self.world.console.ask(&format!("confirm {text}"), !prompt.private).as_ref() == Some(&first) {
                    break Some(first);
                }
                self.world.console.say("***** VALUES ENTERED DO NOT MATCH ****");
            };
            let answer = match answer {
                Some(answer) => Some(answer).filter(|answer| !answer.is_empty()).or(default).unwrap_or_default(),
                None => {
                    self.tell(Event::Warning("Not prompting as we are not in interactive mode".to_owned()));
                    default.unwrap_or_else(|| "None".to_owned())
                }
            };
            let origin = prompt.name.span.clone();
            if let Some(algorithm) = text_of(&prompt.encrypt)? {
                let size = text_of(&prompt.salt_size)?.and_then(|size| size.parse().ok());
                let hash = hash_password(&answer, &algorithm, text_of(&prompt.salt)?.as_deref(), size);
                let hash = hash.map_err(|error| Stop::Error(Box::new(error.to_diagnostic().at(&origin))))?;
                answers.insert(prompt.name.value.as_str(), hash);
                continue;
            }
            let answer = if prompt.is_unsafe { Text::new(answer) } else { Text::trusted(answer, Some(origin)) };
            answers.insert(prompt.name.value.as_str(), answer);
        }
        Ok(answers)
    }

    fn play_layers(&self, play: &Play, prompted: Arc<Map>, files: Vec<Arc<Layer>>) -> Vec<Arc<Layer>> {
        let mut layers = vec![Layer::new(Precedence::PlayVars, "vars of the play", Arc::clone(&play.vars))];
        if !prompted.is_empty() {
            layers.push(Layer::new(Precedence::PlayPrompt, "vars_prompt", prompted));
        }
        layers.extend(files);
        for role in play.roles.iter().filter(|role| role.public.unwrap_or(!self.options.private_role_vars.unwrap_or(false))) {
            layers.push(Layer::new(Precedence::RoleDefaults, format!("defaults of role `{}`", role.name), Arc::clone(&role.defaults)));
            layers.push(Layer::new(Precedence::RoleVars, format!("vars of role `{}`", role.name), Arc::clone(&role.vars)));
        }
        layers
    }

    /// Files whose names need no host, and the others.
    fn static_vars_files(
        &mut self,
        play: &Play,
        prompted: &Arc<Map>,
        context: &Arc<template::Context>,
    ) -> Result<(Vec<Arc<Layer>>, Vec<Spanned<Value>>), Stop> {
        let (mut layers, mut templated) = (Vec::new(), Vec::new());
        for written in &play.vars_files {
            let reader = PlayReader { extra: self.vars.extra_vars(), prompted, play, context, engine: &self.shared.engine };
            let Ok(value) = reader.value(written) else {
                templated.push(written.clone());
                continue;
            };
            let mut diagnostics = Diagnostics::new();
            let (names, vault) = (texts(&value), context.lookups.vault());
            let layer = vars_file_layer(&play.dir, &names, vault, &mut diagnostics);
            // That there is none was said before the run began.
            layers.extend(layer);
            let is_closed = |path: PathBuf| vault.read_source(&path).is_err_and(|error| vault::error_of(&error).is_some());
            if diagnostics.has_errors() && !vars_file(&play.dir, &names).is_some_and(is_closed) {
                return Err(Stop::Load(diagnostics.into_sorted()));
            }
            self.report(diagnostics)?;
        }
        Ok((layers, templated))
    }

    /// The task that checks the play's arguments, where `validate_argspec` asks for it.
    fn validation(play: &Arc<Play>, reader: &PlayReader<'_>) -> Result<Option<Task>, Stop> {
        const KEYWORD: &str = "validate_argspec";
        let Some(written) = play.get(Keyword::ValidateArgspec) else { return Ok(None) };
        let name = match reader.keyword(KEYWORD, written)? {
            Value::Null | Value::Bool(false) => return Ok(None),
            Value::Bool(true) => match &play.name {
                Some(name) => Some(reader.keyword("name", name)?)
                    .filter(|name| !name.is_null())
                    .map(|name| shown(&name))
                    .filter(|name| !name.is_empty()),
                None => None,
            },
            other => Some(shown(&other)),
        };
        let playbook = std::path::PathBuf::from(play.span.source().name());
        let mut diagnostics = Diagnostics::new();
        let (spec, path) = of_play(&playbook, name.as_deref(), &mut diagnostics)
            .map_err(|why| Stop::Load(vec![written.error(format!("Error processing keyword '{KEYWORD}': {why}"))]))?;
        if diagnostics.has_errors() {
            return Err(Stop::Load(diagnostics.into_sorted()));
        }
        let mut of = Map::new();
        of.insert("type", "play");
        of.insert("name", spec.name.as_str());
        of.insert("argument_spec_name", spec.name.as_str());
        of.insert("path", path.display().to_string());
        let title = format!("Validating arguments against arg spec {}", spec.name);
        let context = play_context(play);
        Ok(Some(spec.task(title, Map::new(), of, Arc::clone(&play.keywords), context, &play.span)))
    }

    /// All tasks of the play, with what stands between its sections.
    fn root(&self, play: &Arc<Play>, gather: Option<bool>, validation: Option<Task>) -> Result<Arc<Block>, Stop> {
        let mut entries = Vec::new();
        let gathers = gather.unwrap_or(self.options.gathering != Gathering::Explicit);
        if gathers {
            entries.push(Entry::Task(Arc::new(gather_task(play, self.world.loader))));
        }
        entries.extend(validation.map(|task| Entry::Task(Arc::new(task))));
        let flush = || Entry::Task(Arc::new(flush_task(play)));
        entries.extend(play.pre_tasks.iter().cloned());
        entries.push(flush());
        entries.extend(play.role_tasks.iter().cloned());
        entries.extend(play.tasks.iter().cloned());
        entries.push(flush());
        entries.extend(play.post_tasks.iter().cloned());
        entries.push(flush());
        Ok(Arc::new(Block::of(entries)))
    }
}

/// Reads keywords of a play, with extra variables and its own.
struct PlayReader<'a> {
    extra: Arc<Map>,
    prompted: &'a Arc<Map>,
    play: &'a Play,
    context: &'a Arc<template::Context>,
    engine: &'a Arc<template::Engine>,
}

impl PlayReader<'_> {
    fn value(&self, written: &Spanned<Value>) -> Result<Value, Stop> {
        let layers = vec![Arc::clone(&self.play.vars), Arc::clone(self.prompted), Arc::clone(&self.extra)];
        static_scope::render(self.engine, self.context, &written.value, layers).map_err(|error| {
            let diagnostic = error.to_diagnostic();
            Stop::Error(Box::new(if diagnostic.labels.is_empty() { diagnostic.at(&written.span) } else { diagnostic }))
        })
    }

    /// Something of a prompt, as text.
    fn prompt_text(&self, prompt: &VarsPrompt, written: &Option<Value>) -> Result<Option<String>, Stop> {
        let Some(written) = written else { return Ok(None) };
        let value = self.value(&Spanned::new(written.clone(), prompt.name.span.clone()))?;
        Ok(Some(shown(&value)))
    }

    /// The same, with the keyword named where it cannot be rendered.
    fn keyword(&self, name: &str, written: &Spanned<Value>) -> Result<Value, Stop> {
        self.value(written).map_err(|stop| match stop {
            Stop::Error(diagnostic) => {
                let message = format!("Error processing keyword '{name}': {}", diagnostic.message);
                Stop::Error(Box::new(Diagnostic { message, ..*diagnostic }))
            }
            other => other,
        })
    }

    fn single(&self, keyword: Keyword) -> Result<Option<Value>, Stop> {
        let rendered = self.play.get(keyword).map(|written| self.keyword(keyword.name(), written)).transpose();
        rendered.map_err(Stop::into_mistake)
    }

    fn text(&self, keyword: Keyword) -> Result<Option<String>, Stop> {
        Ok(self.single(keyword)?.filter(|value| !value.is_null()).map(|value| shown(&value)))
    }

    fn flag(&self, keyword: Keyword) -> Result<Option<bool>, Stop> {
        self.converted(keyword, "bool", to_bool)
    }

    /// A value that must be of a kind; `None` if nothing is said.
    fn converted<T>(&self, keyword: Keyword, kind: &str, convert: fn(&Value) -> Option<T>) -> Result<Option<T>, Stop> {
        let Some(value) = self.single(keyword)?.filter(|value| !value.is_null()) else { return Ok(None) };
        let at = self.play.get(keyword).map_or(&self.play.span, |written| &written.span);
        let wrong = || Stop::Load(vec![Diagnostic::error(not_converted(keyword.name(), &value, kind)).at(at)]);
        convert(&value).map(Some).ok_or_else(wrong)
    }
}

/// The first of the named files that is there, as a layer.
pub(super) fn vars_file_layer(dir: &Path, names: &[String], vault: &Vault, diagnostics: &mut Diagnostics) -> Option<Arc<Layer>> {
    let path = vars_file(dir, names)?;
    let vars = load_play_vars_file(&path, vault, diagnostics)?;
    Some(Layer::new(Precedence::PlayVarsFiles, path.display().to_string(), vars))
}

fn vars_file(dir: &Path, names: &[String]) -> Option<PathBuf> {
    let places = |name: &str| [dir.join("vars").join(name), dir.join(name)];
    names.iter().flat_map(|name| places(name)).map(|path| normal(&path)).find(|path| path.is_file())
}

/// Texts of a text or a list.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(shown).collect(),
        Value::Null => Vec::new(),
        one => vec![shown(one)],
    }
}

fn percent(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.as_str().trim().trim_end_matches('%').parse().ok(),
        _ => None,
    }
}

/// `serial`: a number, a percentage, or a list of them of which the last goes on.
fn batches(hosts: &[HostId], serial: Option<&Value>) -> Result<Vec<Vec<HostId>>, String> {
    let sizes: Vec<usize> = match serial {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.iter().map(|item| batch_size(item, hosts.len())).collect::<Result<_, _>>()?,
        Some(one) => vec![batch_size(one, hosts.len())?],
    };
    let Some(last) = sizes.last().copied() else { return Ok(vec![hosts.to_vec()]) };
    let mut batches = Vec::new();
    let (mut rest, mut sizes) = (hosts, sizes.into_iter());
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(last);
        let size = if size == 0 { rest.len() } else { size.min(rest.len()) };
        let (batch, more) = rest.split_at(size);
        batches.push(batch.to_vec());
        rest = more;
    }
    Ok(batches)
}

fn batch_size(value: &Value, hosts: usize) -> Result<usize, String> {
    let wrong = || format!("`serial` is `{}`, expected a number, a percentage or a list of them", shown(value));
    match value {
        Value::Int(number) => Ok(usize::try_from(*number).unwrap_or(0)),
        Value::Float(number) => Ok(*number as usize),
        Value::Bool(one) => Ok(usize::from(*one)),
        Value::Text(text) => {
            let text = text.as_str().trim();
            match text.strip_suffix('%') {
                Some(percent) => {
                    let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
                    Ok(((percent / 100.0 * hosts as f64) as usize).max(1))
                }
                None => text.parse::<i64>().map(|number| usize::try_from(number).unwrap_or(0)).map_err(|_| wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

/// An order that nobody foresees; the generator needs no more than to differ from run to run.
fn shuffle(hosts: &mut [HostId]) {
    let mut state = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64) | 1;
    for index in (1..hosts.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        hosts.swap(index, (state % (index as u64 + 1)) as usize);
    }
}

fn implicit_task(play: &Play, name: Option<&str>, work: Work, keywords: Arc<Keywords>) -> Task {
    let span = play.span.clone();
    Task {
        name: name.map(|name| Spanned::new(Value::text(name), span.clone())),
        keywords,
        ..Task::implicit(work, play_context(play), span)
    }
}

fn play_context(play: &Play) -> Arc<Context> {
    let keywords = Arc::clone(&play.keywords);
    Arc::new(Context { file_dir: play.dir.clone(), playbook_dir: play.dir.clone(), keywords, ..Context::default() })
}

fn flush_task(play: &Play) -> Task {
    let span: Span = play.span.clone();
    implicit_task(play, None, Work::Meta(Spanned::new(Meta::FlushHandlers, span)), Arc::default())
}

/// Facts are gathered whatever tags are asked for.
fn gather_task(play: &Play, loader: &Loader<'_>) -> Task {
    let span = play.span.clone();
    let options = [("gather_subset", Keyword::GatherSubset), ("gather_timeout", Keyword::GatherTimeout), ("fact_path", Keyword::FactPath)];
    let options = options.iter().filter_map(|(option, keyword)| {
        let mut written = play.get(*keyword)?.clone();
        // A keyword that is one text is a list of it: commas mean nothing there.
        if *keyword == Keyword::GatherSubset && matches!(&written.value, Value::Text(_)) && !Templar::is_template(&written.value) {
            written.value = Value::list(vec![written.value]);
        }
        Some((Spanned::new(Arc::from(*option), written.span.clone()), written))
    });
    let name = ActionName { written: Arc::from("gather_facts"), short: Arc::from("gather_facts"), span: span.clone() };
    let args = TaskArgs { options: options.collect(), ..TaskArgs::default() };
    let mut own = Keywords::default();
    own.tags.push(Spanned::new(Value::text("always"), span));
    let keywords = play.keywords.inherited_by(own);
    let defaults = loader.module_defaults(&keywords, &name);
    implicit_task(play, Some("Gathering Facts"), Work::Module(ModuleCall { name, args, defaults }), keywords)
}
