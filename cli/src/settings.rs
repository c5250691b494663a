//! `Settings`: what a service is told, by flag, environment and file: who comes first is heard.

pub(crate) mod quantity;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs;
use std::process::ExitCode;

use serde::Serialize;

use crate::output;

/// What the help of each service says about where settings come from.
pub(crate) const AFTER_HELP: &str = "\
Every setting can also stand in the environment, --body-max as FUNCATRON_BODY_MAX, and in a TOML file
(--config or FUNCATRON_CONFIG), as body-max = \"10MiB\". A flag comes before the environment, that before the
file, that before the default. Times are written 500ms, 30s or 2m, sizes 512KiB, 64MiB or 1GiB.";

/// Where a value was found.
enum Origin {
    Flag,
    Environment,
    File,
}

/// The settings of one service, and every mistake in them.
pub(crate) struct Settings {
    /// Every setting that there is, with what was typed.
    flags: BTreeMap<String, Option<String>>,
    environment: fn(&str) -> Option<String>,
    file: BTreeMap<String, String>,
    file_name: String,
    mistakes: Mistakes,
}

/// What is wrong with the settings, all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<String>);

impl Settings {
    /// The settings of a command: its fields are their names.
    pub(crate) fn of(command: &impl Serialize) -> Self {
        Self::within(command, |name| std::env::var(name).ok())
    }

    fn within(command: &impl Serialize, environment: fn(&str) -> Option<String>) -> Self {
        let mut settings = Self {
            flags: fields(command),
            environment,
            file: BTreeMap::new(),
            file_name: String::new(),
            mistakes: Mistakes::default(),
        };
        if let Some((path, _)) = settings.find("config") {
            settings.read_file(&path);
        }
        settings
    }

    /// Replaces a default by what is given.
    pub(crate) fn set<T, E: Display>(
        &mut self,
        name: &str,
        value: &mut T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) {
        if let Some(given) = self.optional(name, parse) {
            *value = given;
        }
    }

    /// What is given, if it is.
    pub(crate) fn optional<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (text, origin) = self.find(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(mistake) => {
                let place = self.place(name, &origin);
                self.mistake(format!("{place}: {mistake}"));
                None
            }
        }
    }

    /// What is given; that it is not is a mistake.
    pub(crate) fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.is_given(name) {
            self.mistake(format!(
                "{name} is missing: give --{name}, {} in the environment, or {name} in a --config file",
                variable(name)
            ));
        }
        self.optional(name, parse)
    }

    /// Whether anybody says what it is to be.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Notes what else is wrong.
    pub(crate) fn mistake(&mut self, mistake: impl Into<String>) {
        self.mistakes.0.push(mistake.into());
    }

    /// What was required, once nothing is wrong.
    ///
    /// # Errors
    /// With every mistake that was noted.
    pub(crate) fn finish<T>(self, required: Option<T>) -> Result<T, Mistakes> {
        required.filter(|_| self.mistakes.0.is_empty()).ok_or(self.mistakes)
    }

    fn find(&self, name: &str) -> Option<(String, Origin)> {
        let flag = || self.flags.get(name).cloned().flatten();
        // Compose files pass on variables that nobody set.
        let environment = || (self.environment)(&variable(name)).filter(|text| !text.is_empty());
        let file = || self.file.get(name).cloned();
        let found = flag().map(|text| (text, Origin::Flag));
        let found = found.or_else(|| environment().map(|text| (text, Origin::Environment)));
        found.or_else(|| file().map(|text| (text, Origin::File)))
    }

    fn place(&self, name: &str, origin: &Origin) -> String {
        match origin {
            Origin::Flag => format!("--{name}"),
            Origin::Environment => variable(name),
            Origin::File => format!("{name} in {}", self.file_name),
        }
    }

    fn read_file(&mut self, path: &str) {
        path.clone_into(&mut self.file_name);
        let text = fs::read_to_string(path).map_err(|error| error.to_string());
        let table =
            text.and_then(|text| text.parse::<toml::Table>().map_err(|error| one_line(&error, &text)));
        match table {
            Ok(table) => table.into_iter().for_each(|(name, value)| self.take(name, value)),
            Err(error) => self.mistake(format!("{path}: {error}")),
        }
    }

    fn take(&mut self, name: String, value: toml::Value) {
        if name == "config" || !self.flags.contains_key(&name) {
            let known = self.flags.keys().filter(|known| *known != "config");
            let known = known.cloned().collect::<Vec<_>>().join(", ");
            return self.mistake(format!(
                "{name} in {}: there is no such setting; there are {known}",
                self.file_name
            ));
        }
        match text(value) {
            Ok(text) => _ = self.file.insert(name, text),
            Err(mistake) => self.mistake(format!("{name} in {}: {mistake}", self.file_name)),
        }
    }
}

/// The names of a command's settings: its fields.
pub(crate) fn names(command: &impl Serialize) -> Vec<String> {
    fields(command).into_keys().collect()
}

/// A struct of optional texts: it can always be read back as one.
fn fields(command: &impl Serialize) -> BTreeMap<String, Option<String>> {
    serde_json::to_value(command).and_then(serde_json::from_value).unwrap_or_default()
}

/// A setting as it is typed.
///
/// # Errors
/// When it is no text, number or flag.
pub(crate) fn text(value: toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        other => Err(format!("no {} is wanted here", other.type_str())),
    }
}

/// The variable of the environment that holds a setting.
pub(crate) fn variable(name: &str) -> String {
    format!("FUNCATRON_{}", name.replace('-', "_").to_ascii_uppercase())
}

/// What is wrong with a file, without the picture of the line, which may show a password.
pub(crate) fn one_line(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

impl Mistakes {
    /// Tells them.
    pub(crate) fn report(&self) -> ExitCode {
        output::remark(format!("error: {self}"));
        // As for anything else that was typed wrong.
        ExitCode::from(2)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "a setting is wrong" } else { "settings are wrong" })?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Command {
        config: Option<String>,
        broker: Option<String>,
        body_max: Option<String>,
        slots: Option<String>,
    }

    fn environment(name: &str) -> Option<String> {
        match name {
            "FUNCATRON_BODY_MAX" => Some("2KiB".into()),
            "FUNCATRON_SLOTS" => Some(String::new()),
            _ => None,
        }
    }

    fn with_file(text: &str, command: Command) -> (tempfile::TempDir, Settings) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, text).unwrap();
        let config = Some(path.to_str().unwrap().to_owned());
        (folder, Settings::within(&Command { config, ..command }, environment))
    }

    fn text(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    #[test]
    fn a_flag_comes_before_the_environment_and_that_before_the_file() {
        let file = "broker = 'from file'\nbody-max = '3KiB'\nslots = 3";
        let (_folder, mut settings) = with_file(file, Command::default());
        let (mut body_max, mut slots) = (0, 0);
        settings.set("body-max", &mut body_max, quantity::bytes);
        settings.set("slots", &mut slots, quantity::count);
        // A variable that is empty says nothing.
        assert_eq!((body_max, slots), (2048, 3));
        assert_eq!(settings.optional("broker", text).as_deref(), Some("from file"));

        let flags = Command { body_max: Some("1KiB".into()), ..Command::default() };
        let (_folder, mut settings) = with_file(file, flags);
        settings.set("body-max", &mut body_max, quantity::bytes);
        assert_eq!(body_max, 1024);
        assert!(settings.finish(Some(())).is_ok());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let (folder, mut settings) =
            with_file("slots = 'many'\nbrocker = ''\nbody-max = []", Command::default());
        settings.required("broker", text);
        settings.set("slots", &mut 0, quantity::count);
        let file = folder.path().join("a.toml").display().to_string();
        let told = settings.finish(Some(())).unwrap_err().to_string();
        assert_eq!(
            told.lines().collect::<Vec<_>>(),
            [
                "settings are wrong",
                &format!("  body-max in {file}: no array is wanted here"),
                &format!("  brocker in {file}: there is no such setting; there are body-max, broker, slots"),
                "  broker is missing: give --broker, FUNCATRON_BROKER in the environment, or broker in a --config file",
                &format!("  slots in {file}: 'many' is no number of 1 or more"),
            ]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_shows_nothing_of_what_is_in_it() {
        let (folder, settings) = with_file("slots = 1\nbroker = amqp://u:secret@h", Command::default());
        let told = settings.finish(Some(())).unwrap_err().to_string();
        assert!(told.contains(&format!("{}/a.toml: line 2: ", folder.path().display())), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
