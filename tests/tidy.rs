//! Rules over the source tree that no compiler checks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this holds more than one idea.
const LINES_MAX: usize = 400;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helpers", "types", "manager", "misc"];
const SKIPPED: [&str; 5] = ["target", ".git", "node_modules", ".funcatron", "corpus"];

struct Source {
    path: PathBuf,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn collect(folder: &Path, sources: &mut Vec<Source>, wanted: fn(&Path) -> bool) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&path, sources, wanted);
        } else if path.is_file() && wanted(&path) {
            let text = fs::read_to_string(&path).unwrap();
            sources.push(Source { path, text });
        }
    }
}

fn files(wanted: fn(&Path) -> bool) -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root(), &mut sources, wanted);
    assert!(sources.len() > 5, "the tree was not found");
    sources
}

fn rust() -> Vec<Source> {
    files(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Fails with every offender at once.
fn refuse(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn a_file_holds_one_idea() {
    let offenders: Vec<_> = rust()
        .iter()
        .filter(|source| source.text.lines().count() > LINES_MAX)
        .map(|source| format!("{} ({} lines)", source.path.display(), source.text.lines().count()))
        .collect();
    refuse("files over the limit of lines", &offenders);
}

#[test]
fn a_file_says_its_job() {
    let offenders: Vec<_> = rust()
        .iter()
        .filter(|source| !source.text.starts_with("//!") && !source.text.starts_with("#!["))
        .map(|source| source.path.display().to_string())
        .collect();
    refuse("files that do not begin with what they are for (`//!`)", &offenders);
}

#[test]
fn a_file_is_named_after_a_noun() {
    let offenders: Vec<_> = rust()
        .iter()
        .filter(|source| {
            source.path.file_stem().is_some_and(|stem| EMPTY_NAMES.contains(&&*stem.to_string_lossy()))
        })
        .map(|source| source.path.display().to_string())
        .collect();
    refuse("files whose name says nothing", &offenders);
}

#[test]
fn nothing_is_left_undone() {
    let marks = [
        ["to", "do!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
    ];
    refuse(
        "unfinished work",
        &lines_with(&rust(), |line| marks.iter().any(|mark| line.contains(mark.as_str()))),
    );
}

#[test]
fn tests_do_not_sleep() {
    let sources: Vec<Source> = rust().into_iter().filter(|source| !is_guest(&source.path)).collect();
    let marks = [["thread::", "sleep("].concat(), ["time::", "sleep("].concat()];
    let offenders = lines_with(&sources, |line| marks.iter().any(|mark| line.contains(mark.as_str())));
    let in_tests: Vec<_> = offenders.into_iter().filter(|offender| offender.contains("tests")).collect();
    refuse("sleeps in tests: wait for a condition instead", &in_tests);
}

#[test]
fn globs_are_not_re_exported() {
    refuse(
        "glob re-exports",
        &lines_with(&rust(), |line| line.trim_start().starts_with("pub use") && line.contains("::*")),
    );
}

#[test]
fn no_machine_is_named() {
    let homes = [["/ro", "ot/"].concat(), ["/wo", "rk/"].concat(), ["/ho", "me/"].concat()];
    let texts = files(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        ["rs", "toml", "md", "sh", "yaml", "yml", "js", "json"].iter().any(|end| name.ends_with(end))
            || name == "Makefile"
    });
    refuse(
        "paths of somebody's machine",
        &lines_with(&texts, |line| homes.iter().any(|home| line.contains(home.as_str()))),
    );
}

fn is_guest(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "funcs")
}

fn lines_with(sources: &[Source], offends: impl Fn(&str) -> bool) -> Vec<String> {
    sources
        .iter()
        .flat_map(|source| {
            source
                .text
                .lines()
                .enumerate()
                .filter(|(_, line)| offends(line))
                .map(|(at, line)| format!("{}:{}: {}", source.path.display(), at + 1, line.trim()))
        })
        .collect()
}
