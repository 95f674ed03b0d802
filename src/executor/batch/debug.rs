//! The task debugger's place in a batch: which results start it, and how a task runs once more.

use std::sync::Arc;

use super::{Batch, Strategy};
use crate::event::{Status, TaskInfo};
use crate::executor::Stop;
use crate::executor::debugger::{Answer, Debugger};
use crate::executor::job::{HostResult, Job};
use crate::executor::keywords::{DebuggerStart, Reader};
use crate::executor::play_iterator::AfterFailure;
use crate::playbook::{ModuleCall, Task, TaskArgs, Work};
use crate::source::Spanned;
use crate::template::{Scope as _, Templar};
use crate::value::{Map, Text, Value};
use crate::vars::{Layer, Precedence, VarStack};

/// What was changed of a task at the prompt, for one host.
#[derive(Clone, Default)]
pub(in crate::executor) struct Edited {
    args: Option<Map>,
    vars: Map,
}

impl Batch<'_, '_> {
    /// Asks what to do about a result, where the debugger is wanted: the job that is to run instead, or none.
    pub(super) fn debugged(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        result: &HostResult,
    ) -> Result<Option<Job>, Stop> {
        let stack = self.stack(index, task);
        let templar = self.templar(&stack, task);
        if !self.starts_debugger(task, &templar, result) {
            self.edited.remove(&result.host);
            return Ok(None);
        }
        let edited = self.edited.remove(&result.host).unwrap_or_default();
        let context = self.context(task);
        let engine = Arc::clone(&self.executor.shared.engine);
        let all = || all_of(&stack);
        let variable = |name: &str| stack.value(name);
        let evaluate = |text: &str, names: Map| {
            let seen = stack.with(Layer::new(Precedence::Loop, "the debugger", names));
            let templar = Templar::new(&engine, Arc::new(seen), Arc::clone(&context));
            templar.expression(&Text::trusted(text, None)).map_err(|error| error.full_message())
        };
        let mut debugger = Debugger {
            name: info.name.to_string(),
            host: self.hosts[index].name.to_string(),
            args: edited.args.clone().unwrap_or_else(|| task.work.args()),
            changes_args: edited.args.is_some(),
            vars: edited.vars,
            result: Map::clone(&result.result),
            variable: &variable,
            all: &all,
            evaluate: &evaluate,
        };
        let prompt = debugger.prompt();
        let mut said = String::new();
        loop {
            let line = self.executor.world.console.read(&format!("{said}{prompt}"));
            match line.map_or(Answer::Quit, |line| debugger.answer(&line)) {
                Answer::Say(text) => said = text,
                Answer::Continue => return Ok(None),
                Answer::Quit => return Err(Stop::Quit),
                Answer::Redo => break,
            }
        }
        self.uncount(index, result);
        let edited = Edited { args: debugger.changes_args.then(|| debugger.args.clone()), vars: debugger.vars.clone() };
        let mut job = self.job(index, task, info);
        if let Some(args) = &edited.args {
            job.task = Arc::new(with_args(task, args));
        }
        job.stack.push(Layer::new(Precedence::Loop, "the debugger", edited.vars.clone()));
        self.edited.insert(result.host, edited);
        Ok(Some(job))
    }

    /// The recap of a result that does not stand. As in Ansible, it takes more from it than such a result adds.
    fn uncount(&mut self, index: usize, result: &HostResult) {
        let name = Arc::clone(&self.hosts[index].name);
        let is_failure = result.status == Status::Failed && !result.ignored;
        let is_rescued = is_failure && self.hosts[index].cursor.clone().fail() == AfterFailure::Rescued;
        let row = self.executor.stats.of(&name);
        match result.status {
            Status::Ok | Status::Changed | Status::Unreachable => {}
            Status::Failed if result.ignored => row.ignored += 1,
            Status::Failed | Status::Skipped => row.ok = row.ok.saturating_sub(1),
        }
        row.rescued += u64::from(is_rescued);
    }

    /// The keyword, or else the strategy and the setting.
    fn starts_debugger(&self, task: &Task, templar: &Templar, result: &HostResult) -> bool {
        let options = &self.executor.options;
        let failed = result.status == Status::Failed && !(result.ignored && options.debugger_skips_ignored);
        let unreachable = result.status == Status::Unreachable;
        match (Reader { keywords: &task.keywords, templar }).debugger() {
            Ok(Some(DebuggerStart::Always)) => true,
            Ok(Some(DebuggerStart::Never)) | Err(_) => false,
            Ok(Some(DebuggerStart::OnFailed)) => failed,
            Ok(Some(DebuggerStart::OnUnreachable)) => unreachable,
            Ok(Some(DebuggerStart::OnSkipped)) => result.status == Status::Skipped,
            Ok(None) => (options.debugger || self.strategy == Strategy::Debug) && (failed || unreachable),
        }
    }
}

fn all_of(stack: &VarStack) -> Map {
    let mut all = Map::new();
    for name in stack.names() {
        if let Some(value) = stack.value(&name) {
            all.insert(&*name, value);
        }
    }
    all
}

/// The task with other arguments.
fn with_args(task: &Task, args: &Map) -> Task {
    let mut task = Task::clone(task);
    if let Work::Module(call) = &task.work {
        let span = &task.span;
        let mut written = TaskArgs { variables: call.args.variables.clone(), ..TaskArgs::default() };
        for (key, value) in args.iter() {
            let name = key.to_json_key();
            match value {
                Value::Text(text) if name == "_raw_params" => written.free_form = Some(Spanned::new(text.clone(), span.clone())),
                value => written.options.push((Spanned::new(Arc::from(name), span.clone()), Spanned::new(value.clone(), span.clone()))),
            }
        }
        task.work = Work::Module(ModuleCall { args: written, ..call.clone() });
    }
    task
}
