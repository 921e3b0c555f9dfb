//! `stackctl tsdb repair`.

use std::{path::Path, sync::Arc};

use disk::{Fs, RealFs};
use tsdb::{Finding, Remains, Remedy, examine, repair};

pub(super) fn run(dir: &Path, write: bool) -> anyhow::Result<bool> {
    if !write {
        return look(dir);
    }
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let repaired = repair(dir, &fs)?;
    let mut good = true;
    for one in &repaired {
        print!("{}", describe(&one.finding, true));
        match (&one.outcome, one.failure()) {
            (_, Some(failure)) => {
                good = false;
                println!("  FAILED: {failure}");
            }
            (Ok(made), None) => made.iter().for_each(|path| println!("  now: {}", path.display())),
            (Err(_), None) => {}
        }
    }
    if repaired.is_empty() {
        println!("nothing to repair");
    }
    if repaired.iter().any(|one| matches!(one.finding.remedy, Remedy::Rebuild(_) | Remedy::SetAside)) {
        println!("\nRemove the `.damaged` folders once you do not need them any more.");
    }
    Ok(good)
}

fn look(dir: &Path) -> anyhow::Result<bool> {
    let examination = examine(dir)?;
    println!(
        "{} blocks and {} segments of the log without damage",
        examination.healthy_blocks.len(),
        examination.healthy_segments
    );
    for finding in &examination.findings {
        print!("{}", describe(finding, false));
    }
    if examination.findings.is_empty() {
        println!("nothing to repair");
        return Ok(true);
    }
    println!("\nNothing was changed. Stop the server that uses the folder, then add --write.");
    Ok(false)
}

/// What is wrong and what is done about it; `done` tells that it happened.
fn describe(Finding { path, problems, remedy }: &Finding, done: bool) -> String {
    let mut text = format!("{}\n", path.display());
    for problem in problems {
        text.push_str(&format!("  {problem}\n"));
    }
    let verb = if done { "" } else { "would be " };
    let line = match remedy {
        Remedy::Rebuild(remains) => {
            format!("{verb}written anew with {}; the damaged block {verb}set aside", kept(remains))
        }
        Remedy::SetAside => format!("nothing of it can be read: {verb}set aside"),
        Remedy::Cut { keep, size, keep_copy } => {
            let copy = if *keep_copy { ", a copy of all of it kept beside it" } else { "" };
            format!("{verb}cut to its first {keep} of {size} bytes{copy}")
        }
        Remedy::Remove => format!("{verb}removed"),
        Remedy::Leave => "left alone".to_owned(),
    };
    text.push_str(&format!("  → {line}\n"));
    text
}

fn kept(remains: &Remains) -> String {
    let Remains { series, chunks, samples, .. } = remains;
    format!("{series} series, {chunks} chunks, {samples} samples")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_would_be_done_and_what_was() {
        let finding = Finding {
            path: "data/wal/00000003".into(),
            problems: vec!["damaged from byte 10 on: checksum does not match".to_owned()],
            remedy: Remedy::Cut { keep: 10, size: 32, keep_copy: true },
        };
        let text = describe(&finding, false);
        assert!(text.starts_with("data/wal/00000003\n  damaged from byte 10 on: "), "{text}");
        assert!(
            text.contains("→ would be cut to its first 10 of 32 bytes, a copy of all of it kept"),
            "{text}"
        );
        assert!(describe(&finding, true).contains("→ cut to its first 10 of 32 bytes"));
    }
}
