//! Files that hold a secret, and who may read them beside their owner.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The permissions of everybody but the owner.
const OF_OTHERS: u32 = 0o077;

/// Warns if others than its owner have access to a file, which is what it is named in the log.
pub fn warn_of_access(file: &str, path: &Path) {
    let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode() & 0o777);
    if mode & OF_OTHERS != 0 {
        tracing::warn!(
            file,
            path = %path.display(),
            mode = %format_args!("{mode:04o}"),
            "others than its owner have access to a secret: chmod 600 the file"
        );
    }
}
