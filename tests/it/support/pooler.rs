//! `PgBouncer` in transaction mode, before a server.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::server::{free_port, is_root, unprivileged};

/// A running pooler; it is stopped when dropped.
pub(crate) struct Pooler {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Starts one that has so many connections to a server at most, with further settings.
    pub(crate) fn start(server: SocketAddr, connections: usize, settings: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let (file, users) = (folder.path().join("ini"), folder.path().join("users"));
        std::fs::write(&users, "\"postgres\" \"\"\n").expect("the users are written");
        let ini = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = {connections}\nserver_login_retry = 1\n\
             {settings}\n",
            server.ip(),
            server.port(),
            users.display(),
        );
        std::fs::write(&file, ini).expect("the settings are written");
        if is_root() {
            use std::os::unix::fs::PermissionsExt;
            let readable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(folder.path(), readable).expect("the folder is opened");
        }
        let mut command = unprivileged(Path::new("/usr/sbin/pgbouncer"));
        let child = command
            .arg("-q")
            .arg(&file)
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        let child = child.spawn().expect("pgbouncer; use tests/run");
        let pooler = Self {
            child,
            port,
            _folder: folder,
        };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(pooler.address()).is_err() {
            assert!(Instant::now() < until, "the pooler does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        pooler
    }

    /// Returns its address.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
