//! `stackctl tsdb dump`.

use std::io::{self, BufWriter, Write};

use model::Columns;
use storage::{Queryable, SelectHints};
use tsdb::Sandbox;

use super::{Dump, matchers, print::float};

pub(super) fn run(dump: &Dump) -> anyhow::Result<bool> {
    let Dump { min_time, max_time, selectors, sandbox_dir_root, folder } = dump;
    let selectors = selectors.iter().map(|text| matchers(text)).collect::<Result<Vec<_>, _>>()?;
    // No selector means everything.
    let selectors = if selectors.is_empty() { vec![Vec::new()] } else { selectors };
    let root = sandbox_dir_root.as_ref().unwrap_or(&folder.path);
    let sandbox = Sandbox::open(&folder.path, root)?;
    let querier = sandbox.db().querier(*min_time, *max_time)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut columns = Columns::default();
    let mut histograms = 0;
    for matchers in &selectors {
        let mut set = querier.select(&SelectHints::default(), matchers)?;
        while let Some(series) = set.next() {
            let mut series = series?;
            columns.clear();
            series.samples.read(*min_time, *max_time, &mut columns)?;
            let labels = &series.labels;
            for (timestamp, value) in columns.timestamps.iter().zip(&columns.values) {
                writeln!(out, "{labels} {} {timestamp}", float(*value))?;
            }
            histograms += columns.histograms.len();
        }
    }
    out.flush()?;
    if histograms > 0 {
        eprintln!("{histograms} native histograms are not printed");
    }
    Ok(true)
}
