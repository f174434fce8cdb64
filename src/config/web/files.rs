//! The files that a configuration was read from, and whether they are still the same.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::secret;

/// Files, and what each was when it was read.
#[derive(Debug, Default)]
pub(super) struct Files {
    folder: PathBuf,
    read: Vec<(PathBuf, Option<Stamp>)>,
}

/// What a file cannot keep when it is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Files {
    /// Begins with no files; relative paths will be relative to this file's folder.
    pub(super) fn beside(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let read = Vec::new();
        Self { folder, read }
    }

    /// Reads a file whose path is not relative to the folder.
    pub(super) fn read_text(&mut self, path: &Path) -> io::Result<String> {
        // Stamped first: a change while it is read must be noticed afterwards.
        self.read.push((path.to_owned(), Stamp::of(path)));
        std::fs::read_to_string(path)
    }

    /// Reads a file that the configuration names.
    pub(super) fn read_beside(&mut self, path: &str) -> io::Result<String> {
        let path = self.folder.join(path);
        self.read_text(&path)
    }

    /// Warns if others may read a secret that the configuration names.
    pub(super) fn warn_of_access(&self, key: &str, path: &str) {
        secret::warn_of_access(key, &self.folder.join(path));
    }

    /// Returns whether any of them has changed since.
    pub(super) fn have_changed(&self) -> bool {
        self.read
            .iter()
            .any(|(path, stamp)| Stamp::of(path) != *stamp)
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self {
            inode: file.ino(),
            size: file.size(),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}
