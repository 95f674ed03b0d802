//! What templates have to say beside their values: warnings and deprecations, collected until somebody asks.

use std::cell::RefCell;
use std::rc::Rc;

/// One thing worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub message: String,
    /// For a deprecation, the version of ansible-core that has it no more.
    pub removed_in: Option<&'static str>,
}

/// A collection that several [`Templar`](super::Templar)s may share; each notice is in it once.
#[derive(Clone, Debug, Default)]
pub struct Notices(Rc<RefCell<Vec<Notice>>>);

impl Notices {
    /// Adds one.
    pub fn add(&self, notice: Notice) {
        let mut all = self.0.borrow_mut();
        if !all.contains(&notice) {
            all.push(notice);
        }
    }

    /// What came since this was asked last.
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.borrow_mut())
    }
}
