//! How commands that read a checkout tell what they did not read in it.

use super::Exit;
use super::print::printable;
use crate::checkout::Checkout;
use std::io::Write;

/// Tells what was left out, and what could not be read.
pub(super) fn tell(checkout: &Checkout, notes: &mut dyn Write) -> anyhow::Result<()> {
    let left_out = checkout.left_out.iter().map(|note| ("note", note));
    let unread = checkout.unread.iter().map(|problem| ("error", problem));
    for (kind, text) in left_out.chain(unread) {
        writeln!(notes, "{kind}: {}", printable(text))?;
    }
    Ok(())
}

/// Says at the end whether the result tells everything: it does not when something could not be read.
pub(super) fn is_whole(checkout: &Checkout, result: &str, notes: &mut dyn Write) -> anyhow::Result<Exit> {
    let what = match checkout.unread.len() {
        0 => return Ok(Exit::Done),
        1 => "1 file or folder".to_owned(),
        count => format!("{count} files or folders"),
    };
    writeln!(notes, "mass-driver: {what} could not be read, so the {result} is not complete")?;
    Ok(Exit::Failed)
}
