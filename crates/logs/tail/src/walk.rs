//! Finding the files that fit a pattern.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    head::FileId,
    pattern::{Component, Pattern},
};

/// Folders below each other that `**` descends.
const MAX_DEPTH: usize = 64;
/// Folder entries one search looks at, against a pattern such as `/**`.
const MAX_ENTRIES: usize = 1_000_000;

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// Regular files, sorted, each once.
    pub files: Vec<PathBuf>,
    /// The search was cut: more files fit, or too many folders lie below the pattern.
    pub cut: bool,
}

/// All files that fit `pattern` and not `exclude`, at most `most`. Folders that cannot be read are passed over, symbolic links are
/// followed.
pub fn find_files(pattern: &Pattern, exclude: Option<&Pattern>, most: usize) -> Found {
    let mut search = Search { exclude, most, entries: 0, found: Found::default(), above: Vec::new() };
    let root = if pattern.as_str().starts_with('/') { "/" } else { "." };
    for components in pattern.alternatives() {
        search.descend(Path::new(root), components);
    }
    let Found { mut files, cut } = search.found;
    files.sort();
    files.dedup();
    Found { files, cut }
}

struct Search<'a> {
    exclude: Option<&'a Pattern>,
    most: usize,
    entries: usize,
    found: Found,
    /// Folders on the way down, to notice a link that leads back up.
    above: Vec<FileId>,
}

impl Search<'_> {
    fn descend(&mut self, dir: &Path, components: &[Component]) {
        let Some((component, rest)) = components.split_first() else { return };
        match component {
            // `..` and names without wildcards need no listing, and work in folders that may only be passed through.
            Component::Literal(name) => self.visit(&join(dir, name), rest),
            Component::AnyFolders => {
                if rest.is_empty() {
                    self.each_entry(dir, |search, path| search.visit(path, rest));
                } else {
                    self.descend(dir, rest);
                }
                self.each_entry(dir, |search, path| {
                    if fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
                        search.descend(path, components);
                    }
                });
            }
            Component::Wild(_) => self.each_entry(dir, |search, path| {
                let fits = path.file_name().is_some_and(|name| component.matches(&name.to_string_lossy()));
                if fits {
                    search.visit(path, rest);
                }
            }),
        }
    }

    fn visit(&mut self, path: &Path, rest: &[Component]) {
        if !rest.is_empty() {
            self.descend(path, rest);
        } else if fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            self.take(path);
        }
    }

    fn take(&mut self, path: &Path) {
        if self.exclude.is_some_and(|exclude| exclude.matches(&path.to_string_lossy())) {
            return;
        }
        if self.found.files.len() >= self.most {
            self.found.cut = true;
            return;
        }
        self.found.files.push(path.to_owned());
    }

    fn each_entry(&mut self, dir: &Path, mut act: impl FnMut(&mut Self, &Path)) {
        let Ok((id, entries)) = list(dir) else { return };
        if self.above.contains(&id) {
            return;
        }
        if self.above.len() >= MAX_DEPTH {
            self.found.cut = true;
            return;
        }
        self.above.push(id);
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                self.found.cut = true;
                break;
            }
            act(self, &join(dir, entry.file_name()));
        }
        self.above.pop();
    }
}

fn list(dir: &Path) -> io::Result<(FileId, fs::ReadDir)> {
    Ok((FileId::of(&fs::metadata(dir)?), fs::read_dir(dir)?))
}

fn join(dir: &Path, name: impl AsRef<Path>) -> PathBuf {
    if dir == Path::new(".") { name.as_ref().to_owned() } else { dir.join(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path, pattern: &str, exclude: Option<&str>) -> Vec<String> {
        let pattern = Pattern::new(&format!("{}{pattern}", root.display())).expect("a pattern");
        let exclude =
            exclude.map(|exclude| Pattern::new(&format!("{}{exclude}", root.display())).expect("one"));
        let found = find_files(&pattern, exclude.as_ref(), 100);
        assert!(!found.cut);
        let prefix = format!("{}/", root.display());
        found.files.iter().map(|path| path.display().to_string().replace(&prefix, "")).collect()
    }

    #[test]
    fn finds_by_pattern() {
        let dir = tempfile::tempdir().expect("a folder");
        for file in ["a.log", "b.txt", "x/c.log", "x/y/d.log", "x/y/e.log.1"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().expect("has one")).expect("made");
            fs::write(path, "").expect("written");
        }
        // A loop must not be followed for ever.
        std::os::unix::fs::symlink(dir.path(), dir.path().join("x/up")).expect("linked");
        let root = dir.path();
        assert_eq!(names(root, "/*.log", None), ["a.log"]);
        assert_eq!(names(root, "/x/y/*.log", None), ["x/y/d.log"]);
        assert_eq!(names(root, "/**/*.log", Some("/**/d.log")), ["a.log", "x/c.log"]);
        assert_eq!(names(root, "/{a,b}.*", None), ["a.log", "b.txt"]);
        assert_eq!(names(root, "/x/y/**", None), ["x/y/d.log", "x/y/e.log.1"]);
        assert_eq!(names(root, "/nothing/*.log", None), Vec::<String>::new());
    }
}
