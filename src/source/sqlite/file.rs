//! The file that a connection has open: a path may come to lead to another.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file, as it was found at its path.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    /// Device and number; nothing where there was no file.
    identity: Option<(u64, u64)>,
}

impl File {
    /// Looks at the file at a path.
    pub(super) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            identity: identity(path).ok(),
        }
    }

    /// Fails where the path leads to another file now, or to none.
    pub(super) fn is_still_there(&self) -> sqlx::Result<()> {
        let identity = identity(&self.path);
        if identity.is_ok() && identity.ok() == self.identity || self.path == Path::new(":memory:")
        {
            return Ok(());
        }
        let path = self.path.display();
        let moved = format!("{path} is another file now, or none");
        Err(io::Error::new(io::ErrorKind::NotFound, moved).into())
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
