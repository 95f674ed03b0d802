//! The free strategy: a host's next task starts when its last has ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Batch, Strategy, bypasses_hosts};
use crate::event::{Event, TaskInfo};
use crate::executor::Stop;
use crate::executor::job::Message;
use crate::inventory::HostId;
use crate::playbook::{Keyword, Task, Work};
use crate::source::Diagnostic;

impl Batch<'_, '_> {
    /// Every host by itself: a host's next task starts when its last has ended.
    pub(super) fn run_free(&mut self) -> Result<(), Stop> {
        let mut busy: HashMap<HostId, (Arc<Task>, Arc<TaskInfo>)> = HashMap::new();
        let most = self.executor.options.forks.max(1);
        // Where there are more hosts than workers, each in turn.
        let mut next = 0;
        loop {
            self.executor.check_interrupt()?;
            self.check_files()?;
            let first = if self.strategy == Strategy::HostPinned { 0 } else { next };
            for index in (first..self.hosts.len()).chain(0..first) {
                if busy.len() >= most {
                    break;
                }
                if busy.contains_key(&self.hosts[index].id) {
                    continue;
                }
                self.start_free(index, &mut busy)?;
                next = index + 1;
            }
            if busy.is_empty() {
                return Ok(());
            }
            match self.executor.workers.messages.receive(Some(Duration::from_millis(200))) {
                Some(Message::Done(result)) => {
                    let Some((task, info)) = busy.remove(&result.host) else { continue };
                    self.executor.tell(Event::TaskStart(Arc::clone(&info)));
                    if let Some(job) = self.tell_result(&task, &info, &result)? {
                        self.executor.workers.send(job, busy.len());
                        busy.insert(result.host, (task, info));
                        continue;
                    }
                    if let Some(index) = self.index_of(result.host) {
                        let stack = self.stack(index, &task);
                        let templar = self.templar(&stack, &task);
                        self.after_step(&task, &templar, vec![*result], false)?;
                    }
                }
                Some(other) => self.told(other),
                None => {}
            }
        }
    }

    pub(super) fn start_free(&mut self, index: usize, busy: &mut HashMap<HostId, (Arc<Task>, Arc<TaskInfo>)>) -> Result<(), Stop> {
        while let Some((task, _)) = self.peek(index) {
            if !matches!(task.work, Work::Meta(_)) && task.keywords.get(Keyword::Throttle).is_some() {
                let stack = self.stack(index, &task);
                let templar = self.templar(&stack, &task);
                let running = busy.values().filter(|(other, _)| Arc::ptr_eq(other, &task)).count();
                if running >= self.throttle(&task, &templar)? {
                    return Ok(());
                }
            }
            self.pass(index, &task);
            if let Work::Meta(meta) = &task.work {
                self.meta(&task, meta, &[index])?;
                continue;
            }
            if self.skips_facts(index, &task) || !self.is_started(&task) {
                continue;
            }
            self.check_free(&task)?;
            let stack = self.stack(index, &task);
            let templar = self.templar(&stack, &task);
            let info = self.info(&task, &templar);
            self.executor.tell(Event::HostStart { host: Arc::clone(&self.hosts[index].name), task: Arc::clone(&info) });
            let job = self.job(index, &task, &info);
            self.executor.workers.send(job, busy.len());
            busy.insert(self.hosts[index].id, (task, info));
            return Ok(());
        }
        Ok(())
    }

    /// What a task may not have where no host waits for another, as Ansible tells it.
    fn check_free(&mut self, task: &Task) -> Result<(), Stop> {
        if let Work::Module(call) = &task.work
            && bypasses_hosts(task)
        {
            let message = format!(
                "The '{}' module bypasses the host loop, which is currently not supported in the free strategy and would instead execute for every host in the inventory list.",
                call.name.written
            );
            return Err(Stop::Error(Box::new(Diagnostic::error(message).at(&task.span))));
        }
        let has = |keyword| task.keywords.get(keyword).is_some_and(|written| written.value.truthy());
        if has(Keyword::RunOnce) {
            self.executor.tell(Event::Warning("Using run_once with the free strategy is not currently supported. This task will still be executed for every host in the inventory list.".to_owned()));
        }
        if has(Keyword::AnyErrorsFatal) {
            self.executor.tell(Event::Warning(
                "Using any_errors_fatal with the free strategy is not supported, as tasks are executed independently on each host"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}
