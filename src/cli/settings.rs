//! What settings make of the display: colours, warnings, the log.

use crate::config::{Config, Setting, Surroundings};
use crate::display::{Colour, Display, Log, Palette, Role};
use crate::source::{Diagnostic, Diagnostics};

/// The display that the settings ask for.
pub fn display(config: &Config, verbosity: u8, surroundings: &Surroundings, diagnostics: &mut Diagnostics) -> Display {
    let colour = match (config.nocolor.value, config.force_color.value) {
        (true, _) => Colour::Never,
        (false, true) => Colour::Always,
        (false, false) => Colour::Auto,
    };
    let mut display = Display::new(verbosity, colour).with_palette(palette(config, diagnostics));
    if !config.deprecation_warnings.value {
        display = display.without_deprecations();
    }
    let Some(path) = config.log_path.value.as_ref().filter(|_| !config.log_filter.value.iter().any(|name| name == "ansible")) else {
        return display;
    };
    let user = ["USER", "LOGNAME"].iter().find_map(|name| surroundings.variables.get(*name)).map_or("root", String::as_str);
    match Log::open(path, user) {
        Ok(log) => display.with_log(log, config.log_verbosity.value.map_or(0, |level| u8::try_from(level.max(0)).unwrap_or(u8::MAX))),
        Err(error) => {
            diagnostics.push(Diagnostic::warning(format!(
                "log file at '{}' is not writeable and we cannot create it, aborting: {error}",
                path.display()
            )));
            display
        }
    }
}

fn palette(config: &Config, diagnostics: &mut Diagnostics) -> Palette {
    let mut palette = Palette::default();
    let colours: [(Role, &Setting<String>); 13] = [
        (Role::Changed, &config.color_changed),
        (Role::Deprecated, &config.color_deprecate),
        (Role::DiffAdd, &config.color_diff_add),
        (Role::DiffLines, &config.color_diff_lines),
        (Role::DiffRemove, &config.color_diff_remove),
        (Role::Error, &config.color_error),
        (Role::Highlight, &config.color_highlight),
        (Role::Included, &config.color_included),
        (Role::Ok, &config.color_ok),
        (Role::Skip, &config.color_skip),
        (Role::Unreachable, &config.color_unreachable),
        (Role::Verbose, &config.color_verbose),
        (Role::Warning, &config.color_warn),
    ];
    for (role, setting) in colours {
        if setting.is_set() && !palette.set(role, &setting.value) {
            diagnostics.push(Diagnostic::warning(format!("no colour is named `{}` ({})", setting.value, setting.origin)));
        }
    }
    palette
}
