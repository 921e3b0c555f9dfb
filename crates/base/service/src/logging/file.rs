//! A log file of bounded size: at 32 MiB it is renamed to `<name>.1`, over the one before.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

/// Size at which a new file is begun.
const MAX_BYTES: u64 = 32 << 20;

/// Writes whole lines. Cheap to clone; all clones write to one file.
#[derive(Debug, Clone)]
pub(super) struct RotatingFile(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    file: File,
    written: u64,
}

impl RotatingFile {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = append_to(&path)?;
        let written = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(State { path, file, written }))))
    }
}

fn append_to(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Write for RotatingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.written + line.len() as u64 > MAX_BYTES {
            let mut old = state.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&state.path, old)?;
            state.file = append_to(&state.path)?;
            state.written = 0;
        }
        state.file.write_all(line)?;
        state.written += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for RotatingFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_once() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("x.log");
        let mut file = RotatingFile::open(path.clone()).expect("open");
        file.0.lock().written = MAX_BYTES - 3;
        file.write_all(b"ab\n").expect("fits");
        file.write_all(b"cd\n").expect("rotates");
        assert_eq!(std::fs::read(&path).expect("new"), b"cd\n");
        assert_eq!(std::fs::read(dir.path().join("x.log.1")).expect("old"), b"ab\n");
    }
}
