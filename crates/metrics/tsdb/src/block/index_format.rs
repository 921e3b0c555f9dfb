//! Facts of the index file that reader and writer share.
//!
//! ```text
//! ┌───────────────────────────┬──────────────┐
//! │ magic 0xBAAAD700 <4b>     │ version <1b> │
//! ├───────────────────────────┴──────────────┤
//! │ symbols: len <4b> count <4b> (len text)… crc32c
//! │ series, each at a multiple of 16: len <uvarint> content crc32c
//! │ postings, each at a multiple of 4: len <4b> count <4b> series <4b>… crc32c
//! │ postings offset table: len <4b> count <4b> (2 name value offset)… crc32c
//! │ table of contents: six offsets <8b>, crc32c
//! └──────────────────────────────────────────┘
//! ```
//!
//! Series are named by their offset divided by 16 (in version 1 by the offset itself), symbols by their position in the table (in
//! version 1 by their offset in the file). Every checksum is over the bytes between the length and itself.

use crate::encoding::{Decoder, Malformed};

pub(super) const MAGIC: u32 = 0xbaaa_d700;
/// What is written.
pub(super) const VERSION: u8 = 2;
/// Bytes before the symbols.
pub(super) const HEADER: usize = 5;
/// Series begin at multiples of this, so that their numbers fit 32 bits for longer.
pub(super) const SERIES_ALIGNMENT: usize = 16;
/// Postings begin at multiples of this.
pub(super) const POSTINGS_ALIGNMENT: usize = 4;
/// Bytes of the table of contents.
pub(super) const TOC: usize = 6 * 8 + 4;
/// Of symbols and of the postings offset table every so-manieth entry is remembered.
pub(super) const SAMPLING: usize = 32;

/// Where the sections are; 0 where one is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Toc {
    pub(super) symbols: u64,
    pub(super) series: u64,
    pub(super) label_indices: u64,
    pub(super) label_indices_table: u64,
    pub(super) postings: u64,
    pub(super) postings_table: u64,
}

// === impl Toc ===

impl Toc {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { symbols, series, label_indices, label_indices_table, postings, postings_table } = self;
        let sections = [symbols, series, label_indices, label_indices_table, postings, postings_table];
        let mut out: Vec<u8> = sections.into_iter().flat_map(|offset| offset.to_be_bytes()).collect();
        out.extend_from_slice(&crc32c::crc32c(&out).to_be_bytes());
        out
    }

    /// None when the checksum does not match.
    pub(super) fn decode(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let mut decoder = Decoder::new(bytes);
        let content = decoder.take(TOC - 4)?;
        if crc32c::crc32c(content) != decoder.be32()? {
            return Ok(None);
        }
        let mut decoder = Decoder::new(content);
        Ok(Some(Self {
            symbols: decoder.be64()?,
            series: decoder.be64()?,
            label_indices: decoder.be64()?,
            label_indices_table: decoder.be64()?,
            postings: decoder.be64()?,
            postings_table: decoder.be64()?,
        }))
    }
}

/// The content of the section at `offset`, behind its length; none when the checksum does not match.
pub(super) fn section(file: &[u8], offset: u64) -> Result<Option<&[u8]>, Malformed> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new(file.get(start..).ok_or(Malformed("section lies outside of the file"))?);
    let size = decoder.be32()?;
    let content = decoder.take(size as usize)?;
    let checksum = decoder.be32()?;
    Ok((crc32c::crc32c(content) == checksum).then_some(content))
}
