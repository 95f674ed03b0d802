//! What a template emits: nothing is `None`, one piece keeps its type, more pieces are text.

use super::super::{Result, Val};
use super::Evaluator;
use crate::value::{Text, Value};

/// Collects the pieces of one template, macro or block.
pub struct Output {
    pieces: Pieces,
    secret: bool,
}

enum Pieces {
    Nothing,
    One(Val),
    Text(String),
}

impl Output {
    /// Keeps the type of a lone piece.
    pub fn native() -> Self {
        Self { pieces: Pieces::Nothing, secret: false }
    }

    /// Always text: files.
    pub fn text() -> Self {
        Self { pieces: Pieces::Text(String::new()), secret: false }
    }

    /// Emits `val`.
    pub fn push(&mut self, evaluator: &Evaluator, val: Val) -> Result<()> {
        if val.is_none() {
            return Ok(());
        }
        match std::mem::replace(&mut self.pieces, Pieces::Nothing) {
            // What is emitted is emitted: later changes to it do not show.
            Pieces::Nothing => self.pieces = Pieces::One(evaluator.snapshot(val)?),
            Pieces::One(first) => {
                let mut out = String::new();
                self.append(evaluator, &mut out, &first)?;
                self.append(evaluator, &mut out, &val)?;
                self.pieces = Pieces::Text(out);
            }
            Pieces::Text(mut out) => {
                self.append(evaluator, &mut out, &val)?;
                self.pieces = Pieces::Text(out);
            }
        }
        Ok(())
    }

    /// What was emitted.
    pub fn finish(self) -> Val {
        match self.pieces {
            Pieces::Nothing => Val::NONE,
            Pieces::One(val) => val,
            Pieces::Text(out) => {
                let text = Text::from(out);
                Val::from(if self.secret { text.into_secret() } else { text })
            }
        }
    }

    /// As it stands within text: containers as the plain data they will be.
    fn append(&mut self, evaluator: &Evaluator, out: &mut String, val: &Val) -> Result<()> {
        let text = match val {
            Val::Plain(Value::Null) | Val::Omit => return Ok(()),
            Val::Undefined(undefined) if undefined.is_inline_if() => return Ok(()),
            Val::List(_) | Val::Dict(_) | Val::Tuple(_) | Val::Scope(_) if !val.is_shown_by_python() => {
                evaluator.text(&Val::Plain(evaluator.value(val)?))?
            }
            other => evaluator.decoded(other)?,
        };
        evaluator.charge_growth(out.len(), text.as_str().len())?;
        self.secret |= text.is_secret();
        out.push_str(text.as_str());
        Ok(())
    }
}
