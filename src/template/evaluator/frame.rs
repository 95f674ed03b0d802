//! Names that a template itself sets: frames within frames, as Jinja scopes them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::super::Val;

/// The names of a loop's turn, a macro's call, a block, or the top level; inner ones hide outer ones.
pub struct Frame {
    names: RefCell<Vec<(Arc<str>, Val)>>,
    outer: Option<FrameRef>,
}

/// A shared [`Frame`]: macros keep the one that they were defined in.
pub type FrameRef = Rc<Frame>;

impl Frame {
    /// A frame that hides nothing.
    pub fn top() -> FrameRef {
        Rc::new(Self { names: RefCell::default(), outer: None })
    }

    /// A frame within `outer`.
    pub fn inside(outer: &FrameRef) -> FrameRef {
        Rc::new(Self { names: RefCell::default(), outer: Some(Rc::clone(outer)) })
    }

    /// A frame with all that is seen from here as it is now; what is set here later does not show in it.
    pub fn copied(&self) -> FrameRef {
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        let mut frame = Some(self);
        while let Some(current) = frame {
            names.extend(current.names.borrow().iter().filter(|(name, _)| seen.insert(Arc::clone(name))).cloned());
            frame = current.outer.as_deref();
        }
        Rc::new(Self { names: RefCell::new(names), outer: None })
    }

    /// What the name stands for.
    pub fn get(&self, name: &str) -> Option<Val> {
        let mut frame = Some(self);
        while let Some(current) = frame {
            let found = current.names.borrow().iter().find(|(known, _)| &**known == name).map(|(_, val)| val.clone());
            if found.is_some() {
                return found;
            }
            frame = current.outer.as_deref();
        }
        None
    }

    /// Sets the name in this frame.
    pub fn set(&self, name: &Arc<str>, val: Val) {
        let mut names = self.names.borrow_mut();
        match names.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = val,
            None => names.push((Arc::clone(name), val)),
        }
    }

    /// Forgets all names: ends the circle of a frame and the macros in it.
    pub fn clear(&self) {
        self.names.take();
    }

    /// The names set in this very frame.
    pub fn own(&self) -> Vec<(Arc<str>, Val)> {
        self.names.borrow().clone()
    }
}

/// Long chains of frames (loops in macros in loops) are dropped in a loop, not by recursion.
impl Drop for Frame {
    fn drop(&mut self) {
        let mut outer = self.outer.take();
        while let Some(frame) = outer {
            outer = Rc::try_unwrap(frame).ok().and_then(|mut frame| frame.outer.take());
        }
    }
}
