//! Bodies made before the clock starts, in one file, so that sending them costs next to nothing.
//!
//! The file is a row of frames: number, step, samples and length, each a little-endian `u32`, then the body.

use std::{
    fs::File,
    io::{BufWriter, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{Body, Generator, Lane, Plan};
use crate::progress::Progress;

const HEADER: usize = 16;

/// All bodies of a load on disk.
#[derive(Debug)]
pub struct BodyFile {
    path: PathBuf,
    /// The load it holds.
    pub plan: Plan,
    /// Bytes of the bodies, compressed.
    pub bytes: u64,
}

/// One connection's share of a [`BodyFile`].
#[derive(Debug)]
pub struct FileLane {
    file: File,
    lane: u32,
    lanes: u32,
    position: u64,
    size: u64,
}

impl BodyFile {
    /// Makes all bodies of a load.
    pub fn create(plan: Plan, path: &Path, progress: &Progress) -> anyhow::Result<Self> {
        let unwritable = || format!("cannot write `{}`", path.display());
        let mut file = BufWriter::new(File::create(path).with_context(unwritable)?);
        let scratch = path.parent().context("a file without a folder")?;
        let mut generator = Generator::new(plan, scratch, 0, 1)?;
        let mut bytes = 0;
        while let Some(body) = generator.next()? {
            for number in [body.number, body.step, body.samples, body.bytes.len() as u32] {
                file.write_all(&number.to_le_bytes()).with_context(unwritable)?;
            }
            file.write_all(&body.bytes).with_context(unwritable)?;
            bytes += body.bytes.len() as u64;
            progress.advance(u64::from(body.samples));
        }
        file.flush().with_context(unwritable)?;
        Ok(Self { path: path.to_owned(), plan, bytes })
    }

    /// The share of connection number `lane` of `lanes`.
    pub fn lane(&self, lane: usize, lanes: usize) -> anyhow::Result<FileLane> {
        let file =
            File::open(&self.path).with_context(|| format!("cannot open `{}`", self.path.display()))?;
        let size = file.metadata()?.len();
        Ok(FileLane { file, lane: lane as u32, lanes: lanes as u32, position: 0, size })
    }
}

impl Lane for FileLane {
    fn next(&mut self) -> anyhow::Result<Option<Body>> {
        while self.position < self.size {
            let mut header = [0; HEADER];
            self.file.read_exact_at(&mut header, self.position)?;
            let field =
                |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("BUG: four bytes"));
            let (number, step, samples, length) = (field(0), field(4), field(8), field(12));
            let start = self.position + HEADER as u64;
            self.position = start + u64::from(length);
            if number % self.lanes != self.lane {
                continue;
            }
            let mut bytes = vec![0; length as usize];
            self.file.read_exact_at(&mut bytes, start)?;
            return Ok(Some(Body { number, step, samples, bytes: bytes.into() }));
        }
        Ok(None)
    }
}
