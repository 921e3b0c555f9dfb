//! Which blocks a folder has.

use std::{io, path::Path};

use crate::{BlockMeta, UnreadableBlock, block::Block, blocks::block_dirs, error::chain};

/// A block that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBlock {
    /// What it says about itself.
    pub meta: BlockMeta,
    /// Bytes of all its files.
    pub size: u64,
}

/// All blocks of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockListing {
    /// By their start.
    pub blocks: Vec<ListedBlock>,
    /// Those that cannot be opened.
    pub unreadable: Vec<UnreadableBlock>,
}

/// Lists the blocks in `dir`.
pub fn list_blocks(dir: &Path) -> io::Result<BlockListing> {
    let mut listing = BlockListing::default();
    for dir in block_dirs(dir)? {
        match Block::open(&dir) {
            Ok(block) => listing.blocks.push(ListedBlock { meta: block.meta().clone(), size: block.size() }),
            Err(error) => listing.unreadable.push(UnreadableBlock { dir, reason: chain(&error) }),
        }
    }
    listing.blocks.sort_by_key(|block| block.meta.min_time);
    Ok(listing)
}
