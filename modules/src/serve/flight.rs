//! The request that runs, and how another thread ends it: TERM to its process group, KILL when that did not help.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::Cancel;

/// From TERM to KILL.
pub const GRACE: Duration = Duration::from_secs(3);

type Current = Option<(u64, Arc<Cancel>)>;

/// The request that runs, if one does.
#[derive(Clone, Default)]
pub struct Flight {
    current: Arc<Mutex<Current>>,
}

impl Flight {
    /// A request begins.
    pub fn begin(&self, id: u64) -> Arc<Cancel> {
        let cancel = Arc::new(Cancel::default());
        *self.lock() = Some((id, Arc::clone(&cancel)));
        cancel
    }

    /// It has ended.
    pub fn end(&self) {
        *self.lock() = None;
    }

    /// The request that runs.
    pub fn current(&self) -> Current {
        self.lock().clone()
    }

    /// Ends the request `id`, if it is the one that runs. Does not wait.
    pub fn cancel(&self, id: u64) {
        let Some((_, cancel)) = self.current().filter(|(current, _)| *current == id) else { return };
        cancel.cancel();
        let flight = self.clone();
        // Without a thread there is no KILL; the TERM was sent.
        let _ = std::thread::Builder::new().name("cancel".to_owned()).spawn(move || {
            std::thread::sleep(GRACE);
            if flight.current().is_some_and(|(current, _)| current == id) {
                cancel.kill();
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, Arc<Cancel>)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
