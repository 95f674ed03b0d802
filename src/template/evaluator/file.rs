//! Templates in files of their own: `include`, `import`, `extends`.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::super::ir::{Expr, Stmt, Template};
use super::super::{ErrorKind, NoNames, Result, TemplateError, Val};
use super::frame::{Frame, FrameRef};
use super::{Evaluator, Loaded, ScopeVal, Unit};
use crate::source::{Source, Span};
use crate::value::{Text, Value};

impl Loaded {
    /// The file's name as it was asked for.
    pub(super) fn name(&self) -> String {
        self.name.clone()
    }
}

impl Evaluator {
    /// The template that `file` names, or the first there is of a list; `None` where it may be missing and is.
    pub(super) fn load_template(&self, frame: &FrameRef, file: &Expr, ignore_missing: Option<bool>) -> Result<Option<Loaded>> {
        let val = self.eval(frame, file)?;
        let names = match &val {
            val if val.is_list() => self.placed(file.extent, self.items(val))?,
            _ => vec![val.clone()],
        };
        for name in &names {
            let name = self.placed(file.extent, self.text(name))?;
            if let Some(path) = self.find_template(name.as_str()) {
                return self.placed(file.extent, self.load_file(&path, name.as_str())).map(Some);
            }
        }
        if ignore_missing == Some(true) {
            return Ok(None);
        }
        let shown = match &names[..] {
            [name] => format!("'{}'", self.text(name)?.as_str()),
            _ => self.repr(&val)?.as_str().to_owned(),
        };
        let places = self.template_places().iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join("', '");
        let error = TemplateError::new(ErrorKind::File, format!("{shown} not found in search path: '{places}'"));
        self.placed(file.extent, Err(error))
    }

    /// A template of another file, seeing what is set in `frame` as it is now, or nothing of it.
    pub(super) fn entering(&self, frame: &FrameRef, loaded: Loaded, with_context: bool) -> (Self, FrameRef) {
        let (scope, inner) = match with_context {
            true => (Rc::clone(&self.scope), Frame::inside(&Self::context_of(frame))),
            false => (ScopeVal::new(Arc::new(NoNames)), Frame::top()),
        };
        let unit = Rc::new(Unit::new(loaded, Rc::clone(&inner), true));
        (Self { session: Rc::clone(&self.session), scope, unit }, inner)
    }

    /// What is seen in `frame`: later assignments there and changes of either's lists and dicts stay where they are made;
    /// what is within those is shared.
    fn context_of(frame: &FrameRef) -> FrameRef {
        let copy = frame.copied();
        for (name, val) in copy.own() {
            match val {
                Val::List(list) => copy.set(&name, Val::list(list.borrow().clone())),
                Val::Dict(dict) => copy.set(&name, Val::dict(dict.borrow().clone())),
                _ => {}
            }
        }
        copy
    }

    fn find_template(&self, name: &str) -> Option<PathBuf> {
        if Path::new(name).is_absolute() {
            return Some(PathBuf::from(name)).filter(|path| path.is_file());
        }
        self.template_places().into_iter().map(|place| place.join(name)).find(|path| path.is_file())
    }

    /// Where templates are looked for, best first.
    fn template_places(&self) -> Vec<PathBuf> {
        let context = &self.session.context;
        let mut places = Vec::new();
        let own = self.unit.text.origin().and_then(|origin| origin.source().path()?.parent().map(Path::to_path_buf));
        let roots = context.search_path.iter().chain(std::iter::once(&context.playbook_dir));
        for place in roots.flat_map(|root| [root.join("templates"), root.clone()]).chain(own) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn load_file(&self, path: &Path, name: &str) -> Result<Loaded> {
        let known = self.session.files.borrow().get(path).cloned();
        let text = match known {
            Some(text) => text,
            None => {
                let text = self.read_template(path)?;
                self.session.files.borrow_mut().insert(path.to_path_buf(), text.clone());
                text
            }
        };
        let syntax = Arc::clone(&self.unit.syntax);
        let template = if text.is_trusted() {
            self.session.engine.template(&text, &syntax)?
        } else {
            // As Ansible: what was in a vault is text and no template, where another template includes it.
            let body = vec![Stmt::Raw(Value::Text(text.clone()))];
            Arc::new(Template { body, blocks: Vec::new(), mutates: false })
        };
        Ok(Loaded { text, template, syntax, name: name.to_owned() })
    }

    fn read_template(&self, path: &Path) -> Result<Text> {
        let content = self.session.context.lookups.read(path)?;
        let chars = String::from_utf8(content.bytes).map_err(|_| {
            TemplateError::new(ErrorKind::File, format!("Template source files must be utf-8 encoded: '{}'", path.display()))
        })?;
        let source = Source::file(path, chars);
        let span = Span::new(&source, 0, source.text().len());
        if content.was_sealed {
            return Ok(Text::untrusted_at(source.text(), span));
        }
        Ok(Text::trusted(source.text(), Some(span)))
    }
}
